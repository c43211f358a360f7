from integrations import feature
from partner_portal.core.english import english as _


class TelephonyConfig(feature.MarketplaceFeature):
    name = "integrations.telephony"
    verbose_name = _("Telephony")
