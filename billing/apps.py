from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

# Kinds of call, signal receivers, letters and sections register themselves when they are imported.
REGISTERED = (
    "billing.collected",
    "billing.kinds",
    "billing.offers",
    "billing.receivers",
    "billing.section",
)

FINANCE = "finance"
MAY = (
    "add_payment",
    "change_payment",
    "refund_payment",
    "add_paymentlink",
    "add_discount",
    "change_tariffoption",
)


def make_finance_group(sender: AppConfig, **_: Any) -> None:
    """The group that may record and refund; made once, afterwards it is the portal's administrators' own."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    group, made = Group.objects.get_or_create(name=FINANCE)
    if made:
        create_permissions(sender, verbosity=0)
        group.permissions.set(Permission.objects.filter(content_type__app_label="billing", codename__in=MAY))


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        for module in REGISTERED:
            import_module(module)
        post_migrate.connect(make_finance_group, sender=self)
