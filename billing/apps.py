from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# Kinds of call, signal receivers, letters and sections register themselves when they are imported.
REGISTERED = (
    "billing.collected",
    "billing.history",
    "billing.kinds",
    "billing.news",
    "billing.offers",
    "billing.panel",
    "billing.personal_data",
    "billing.receivers",
    "billing.roles",
    "billing.section",
    "billing.watch",
)


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        for module in REGISTERED:
            import_module(module)
