from integrations import feature
from partner_portal.core.english import english as _


class LocationProfilesConfig(feature.MarketplaceFeature):
    name = "integrations.location_profiles"
    verbose_name = _("Location profiles")
