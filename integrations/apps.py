from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# Kinds of call, signal receivers and letters register themselves when they are imported.
REGISTERED = (
    "partner_portal.checks",
    "integrations.activation.kinds",
    "integrations.activation.receivers",
    "integrations.alarms.receivers",
    "integrations.connect.letters",
    "integrations.connect.receivers",
    "integrations.connect.section",
    "integrations.dashboard.registered",
    "integrations.lifecycle.asking",
    "integrations.locations.kinds",
    "integrations.roles",
    "integrations.telephony.kinds",
)


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Marketplace")

    def ready(self) -> None:
        for module in REGISTERED:
            import_module(module)
