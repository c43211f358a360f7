from partner_portal.core import feature
from partner_portal.core.english import english as _


class BillingConfig(feature.FeatureConfig):
    name = "billing"
    verbose_name = _("Billing")
