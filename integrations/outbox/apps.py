from integrations import feature
from partner_portal.core.english import english as _


class OutboxConfig(feature.MarketplaceFeature):
    name = "integrations.outbox"
    verbose_name = _("Outgoing calls")
