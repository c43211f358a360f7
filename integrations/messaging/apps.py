from integrations import feature
from partner_portal.core.english import english as _


class MessagingConfig(feature.MarketplaceFeature):
    name = "integrations.messaging"
    verbose_name = _("Text messages")
