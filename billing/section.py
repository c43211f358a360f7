"""The owner's page: until when each location is paid, and where to pay at Altegio."""

from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.sections import register_section
from billing.models import PaymentLink, TariffOption
from billing.subscriptions import subscriptions
from integrations.models.connection import Connection

MOST_SHOWN = 100


def _context(user: User) -> dict[str, Any]:
    connections = list(subscriptions().filter(owner=user)[:MOST_SHOWN])
    options: dict[int, list[TariffOption]] = {}
    for option in TariffOption.objects.filter(
        application__in={connection.application_id for connection in connections}
    ).order_by("tariff_title", "months", "pk"):
        options.setdefault(option.application_id, []).append(option)
    links: dict[int, list[PaymentLink]] = {}
    for link in PaymentLink.objects.filter(connection__in=connections, discount=0).select_related("option"):
        links.setdefault(link.connection_id, []).append(link)
    return {
        "subscriptions": [
            _row(connection, options.get(connection.application_id, []), links.get(connection.pk, []))
            for connection in connections
        ]
    }


def _row(connection: Connection, options: list[TariffOption], links: list[PaymentLink]) -> dict[str, Any]:
    now = timezone.now()
    return {
        "connection": connection,
        "title": connection.title or f"#{connection.location.altegio_id}",
        "in_trial": connection.trial_ends_at is not None and connection.trial_ends_at > now,
        "is_paid": connection.paid_until is not None and connection.paid_until > now,
        "is_over": connection.next_payment_at is not None and connection.next_payment_at <= now,
        "options": options,
        "links": links,
    }


register_section("billing/section.html", _context)
