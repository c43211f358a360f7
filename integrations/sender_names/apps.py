from integrations import feature
from partner_portal.core.english import english as _


class SenderNamesConfig(feature.MarketplaceFeature):
    name = "integrations.sender_names"
    verbose_name = _("Sender names")
