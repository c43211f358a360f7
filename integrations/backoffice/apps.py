from integrations import feature
from partner_portal.core.english import english as _


class BackofficeConfig(feature.MarketplaceFeature):
    name = "integrations.backoffice"
    verbose_name = _("Back office")
