from integrations import feature
from partner_portal.core.english import english as _


class UserTokensConfig(feature.MarketplaceFeature):
    name = "integrations.user_tokens"
    verbose_name = _("User tokens")
