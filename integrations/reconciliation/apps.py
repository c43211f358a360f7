from integrations import feature
from partner_portal.core.english import english as _


class ReconciliationConfig(feature.MarketplaceFeature):
    name = "integrations.reconciliation"
    verbose_name = _("Reconciliation")
