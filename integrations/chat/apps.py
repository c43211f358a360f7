from integrations import feature
from partner_portal.core.english import english as _


class ChatConfig(feature.MarketplaceFeature):
    name = "integrations.chat"
    verbose_name = _("Chat")
