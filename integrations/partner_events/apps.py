from integrations import feature
from partner_portal.core.english import english as _


class PartnerEventsConfig(feature.MarketplaceFeature):
    name = "integrations.partner_events"
    verbose_name = _("Events for the partner's systems")
