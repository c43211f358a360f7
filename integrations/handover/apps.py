from integrations import feature
from partner_portal.core.english import english as _


class HandoverConfig(feature.MarketplaceFeature):
    name = "integrations.handover"
    verbose_name = _("Hand-over to the partner's cabinet")
