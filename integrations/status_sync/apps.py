from integrations import feature
from partner_portal.core.english import english as _


class StatusSyncConfig(feature.MarketplaceFeature):
    name = "integrations.status_sync"
    verbose_name = _("Status synchronization")
