from integrations import feature
from partner_portal.core.english import english as _


class ConnectionsConfig(feature.MarketplaceFeature):
    name = "integrations.connections"
    verbose_name = _("Connections")
