from integrations import feature
from partner_portal.core.english import english as _


class WebhookSettingsConfig(feature.MarketplaceFeature):
    name = "integrations.webhook_settings"
    verbose_name = _("Webhook settings")
