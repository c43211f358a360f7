"""The weekly e-mail to staff who may see money: last week beside the week before it."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum
from django.urls import reverse
from django.utils import formats, timezone

from accounts.emails import queue_email
from accounts.models import OutgoingEmail
from accounts.roles import staff_who_may
from billing.models import Payment
from billing.money import exact
from integrations.alerts.models import Alert
from integrations.backoffice.dashboard.connection_events import ConnectionEvent, events_of_change
from integrations.connections.models import ConnectionChange
from partner_portal.core.english import english as _
from partner_portal.core.periods import Span

FROM_HOUR = 6  # of Monday, in UTC
WEEK = timedelta(days=7)
EVENTS = (ConnectionEvent.ACTIVATED, ConnectionEvent.UNINSTALLED, ConnectionEvent.FROZEN)
Line = dict[str, str]  # `label`, `last`, `before`


@transaction.atomic
def mail_week() -> int:
    """Queue the e-mails about last week, once, on Monday from 06:00 UTC. Returns how many.

    Nothing is sent if nothing happened in both weeks. Two workers queue the same e-mails, which are stored only once.
    """
    now = timezone.now().astimezone(UTC)
    monday = datetime.combine(now.date(), time(), tzinfo=UTC)
    if not settings.WEEKLY_FIGURES_EMAIL or now.weekday() != 0 or now.hour < FROM_HOUR:
        return 0
    name = f"figures:{monday:%Y-%m-%d}:"
    if OutgoingEmail.objects.filter(key__startswith=name).exists():
        return 0
    lines = week_lines(monday)
    if not lines:
        return 0
    readers = list(staff_who_may("billing.view_payment"))
    for user in readers:
        queue_email(
            "staff/figures",
            user,
            key=f"{name}{user.pk}",
            week=f"{formats.date_format(monday - WEEK, 'j F')} – {formats.date_format(monday - WEEK / 7, 'j F Y')}",
            lines=lines,
            alerts=Alert.objects.open().count(),
            list_url=settings.PORTAL_URL + reverse("admin:billing_payment_figures"),
        )
    return len(readers)


def week_lines(monday: datetime) -> list[Line]:
    """Return what happened in the week before `monday` and the one before: four queries. Empty if nothing did."""
    weeks = ((monday - WEEK, monday), (monday - 2 * WEEK, monday - WEEK))
    last, before = (_happened(week) for week in weeks)
    paid, paid_before = (_paid(week) for week in weeks)
    if not (last or before or paid or paid_before):
        return []
    lines = [
        {"label": event.label.capitalize(), "last": str(last[event]), "before": str(before[event])}
        for event in EVENTS
    ]
    for currency in sorted(paid.keys() | paid_before.keys()) or [""]:
        label = f"{_('Payments reported')}, {currency}" if currency else _("Payments reported")
        lines.append({"label": label, "last": _in_words(paid, currency), "before": _in_words(paid_before, currency)})
    return lines


def _happened(week: Span) -> Counter[ConnectionEvent]:
    found: Counter[ConnectionEvent] = Counter()
    changes = ConnectionChange.objects.filter(at__gte=week[0], at__lt=week[1]).order_by()
    for before, after, number in changes.values_list("from_state", "to_state").annotate(number=Count("pk")):
        for event in events_of_change(before, after):
            if event in EVENTS:
                found[event] += number
    return found


def _paid(week: Span) -> dict[str, tuple[int, Decimal]]:
    """Return the number and sum of reported payments by currency, including those that have been refunded since."""
    reported = Payment.objects.filter(reported_at__gte=week[0], reported_at__lt=week[1]).order_by()
    sums: Any = reported.values_list("currency").annotate(number=Count("pk"), amount=Sum("amount"))
    return {currency: (number, exact(amount, currency)) for currency, number, amount in sums}


def _in_words(paid: dict[str, tuple[int, Decimal]], currency: str) -> str:
    if currency not in paid:
        return "0"
    number, amount = paid[currency]
    return f"{number} ({formats.number_format(amount, use_l10n=True, force_grouping=True)})"
