from integrations import feature
from partner_portal.core.english import english as _


class ContractDriftConfig(feature.MarketplaceFeature):
    name = "integrations.contract_drift"
    verbose_name = _("Contract drift")
