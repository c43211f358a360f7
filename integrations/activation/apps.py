from integrations import feature
from partner_portal.core.english import english as _


class ActivationConfig(feature.MarketplaceFeature):
    name = "integrations.activation"
    verbose_name = _("Activation")
