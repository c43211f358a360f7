from integrations import feature
from partner_portal.core.english import english as _


class LifecycleConfig(feature.MarketplaceFeature):
    name = "integrations.lifecycle"
    verbose_name = _("Lifecycle")
