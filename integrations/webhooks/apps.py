from integrations import feature
from partner_portal.core.english import english as _


class WebhooksConfig(feature.MarketplaceFeature):
    name = "integrations.webhooks"
    verbose_name = _("Webhooks")
