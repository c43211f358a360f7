from integrations import feature
from partner_portal.core.english import english as _


class LocationsConfig(feature.MarketplaceFeature):
    name = "integrations.locations"
    verbose_name = _("Locations")
