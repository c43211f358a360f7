from integrations import feature
from partner_portal.core.english import english as _


class AlertsConfig(feature.MarketplaceFeature):
    name = "integrations.alerts"
    verbose_name = _("Alerts")
