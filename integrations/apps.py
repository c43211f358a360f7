from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# Kinds of call, signal receivers and letters register themselves when they are imported.
REGISTERED = (
    "partner_portal.checks",
    "integrations.activation.kinds",
    "integrations.activation.metrics",
    "integrations.activation.receivers",
    "integrations.activation.watch",
    "integrations.alarms.metrics",
    "integrations.alarms.receivers",
    "integrations.alarms.retention",
    "integrations.connect.erasure",
    "integrations.connect.letters",
    "integrations.connect.personal_data",
    "integrations.connect.receivers",
    "integrations.connect.retention",
    "integrations.connect.section",
    "integrations.dashboard.registered",
    "integrations.events.example",
    "integrations.events.retention",
    "integrations.events.watch",
    "integrations.lifecycle.asking",
    "integrations.lifecycle.disconnect",
    "integrations.lifecycle.ending",
    "integrations.lifecycle.leaving",
    "integrations.lifecycle.processing",
    "integrations.lifecycle.watch",
    "integrations.locations.kinds",
    "integrations.news.kinds",
    "integrations.news.receivers",
    "integrations.outbox.metrics",
    "integrations.outbox.retention",
    "integrations.outbox.watch",
    "integrations.roles",
    "integrations.reconcile.kinds",
    "integrations.reconcile.receivers",
    "integrations.reconcile.watch",
    "integrations.sender_names.kinds",
    "integrations.sender_names.owners",
    "integrations.sender_names.receivers",
    "integrations.sender_names.watch",
    "integrations.sms.channels",
    "integrations.sms.kinds",
    "integrations.sms.receivers",
    "integrations.sms.retention",
    "integrations.sms.watch",
    "integrations.telephony.kinds",
    "integrations.telephony.news",
    "integrations.telephony.notifications",
    "integrations.telephony.owners",
    "integrations.telephony.retention",
    "integrations.telephony.saved_calls",
    "integrations.telephony.watch",
    "integrations.timeline.advice",
    "integrations.timeline.sources",
    "integrations.user_tokens.erasure",
    "integrations.user_tokens.kinds",
)


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Marketplace")

    def ready(self) -> None:
        for module in REGISTERED:
            import_module(module)
