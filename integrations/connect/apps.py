from integrations import feature
from partner_portal.core.english import english as _


class ConnectConfig(feature.MarketplaceFeature):
    name = "integrations.connect"
    verbose_name = _("Arrivals")
