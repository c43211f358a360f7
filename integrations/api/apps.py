from integrations import feature
from partner_portal.core.english import english as _


class ApiConfig(feature.MarketplaceFeature):
    name = "integrations.api"
    label = "marketplace_api"
    verbose_name = _("API")
