"""Subscriptions whose trial or paid period ends soon, or has ended without a payment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.emails import queue_email
from accounts.roles import staff_who_may
from billing.models import TariffOption
from billing.offers import fetch_tariffs
from integrations.connections.models import LIVE, Application, Connection
from partner_portal.core.queues import Queue

MAX_IN_AN_EMAIL = 50
COUNTS = "subscriptions-counted"
TARIFFS_ARE_FRESH = timedelta(days=1)
TARIFFS = Queue.register(Queue("tariffs", "Tariffs to be fetched", Application))


def subscriptions() -> QuerySet[Connection]:
    """Return the connections that live on payments, earliest due first."""
    return (
        Connection.objects.live()
        .select_related("application", "location", "owner")
        .order_by(F("next_payment_at").asc(nulls_last=True), "pk")
    )


def soon() -> Q:
    """Return the condition for connections whose trial or period ends within the days of warning."""
    now = timezone.now()
    return Q(next_payment_at__gt=now, next_payment_at__lte=now + timedelta(days=settings.SUBSCRIPTION_WARNING_DAYS))


def overdue() -> Q:
    """Return the condition for connections whose trial or period has ended without a payment."""
    return Q(next_payment_at__lte=timezone.now())


def current() -> Q:
    """Return the condition for connections that are paid, or in trial, for longer than the days of warning."""
    return Q(next_payment_at__gt=timezone.now() + timedelta(days=settings.SUBSCRIPTION_WARNING_DAYS))


@dataclass(frozen=True)
class Totals:
    """How many connections live on payments, by how they stand. Frozen ones count only as frozen."""

    paid: int
    trial: int
    expiring: int
    overdue: int
    frozen: int


def count_subscriptions() -> Totals:
    """Count the subscriptions for the chart of the control room, in one query."""
    active = Q(state="active")
    paid = Q(paid_until__isnull=False, paid_until__gt=timezone.now())
    counted = Connection.objects.live().aggregate(
        paid=Count("pk", filter=active & current() & paid),
        trial=Count("pk", filter=active & current() & ~paid),
        expiring=Count("pk", filter=active & soon()),
        overdue=Count("pk", filter=active & overdue()),
        frozen=Count("pk", filter=Q(state="frozen")),
    )
    return Totals(**counted)


def recent_counts() -> Totals:
    """Return `count_subscriptions`, at most a minute old, because it reads every live connection."""
    try:
        known: Totals | None = cache.get(COUNTS)
        if known is None:
            known = count_subscriptions()
            cache.set(COUNTS, known, timeout=60)
    except (RedisError, OSError):
        return count_subscriptions()
    return known


@transaction.atomic
def mail_digest() -> int:
    """Queue one e-mail a day to staff who may see subscriptions, if any are due. Returns how many connections."""
    due = subscriptions().filter(soon() | overdue())
    count = due.count()
    if not count:
        return 0
    today = timezone.now().date()
    lines = [_line(connection, timezone.now()) for connection in due[:MAX_IN_AN_EMAIL]]
    for user in staff_who_may("billing.view_subscription"):
        queue_email(
            "staff/subscriptions",
            user,
            key=f"subscriptions:{today}:{user.pk}",
            lines=lines,
            more=max(count - MAX_IN_AN_EMAIL, 0),
            list_url=f"{settings.PORTAL_URL}/admin/billing/subscription/?due=yes",
        )
    return count


def _line(connection: Connection, now: datetime) -> dict[str, str | bool]:
    ends = connection.next_payment_at
    return {
        "connection": str(connection),
        "ends": f"{ends:%Y-%m-%d}" if ends else "",
        "over": ends is not None and ends <= now,
    }


def refresh_tariffs() -> None:
    """Queue the question for the tariffs of every application in use whose options are a day old, or unknown."""
    fresh = TariffOption.objects.filter(fetched_at__gt=timezone.now() - TARIFFS_ARE_FRESH)
    used = Application.objects.filter(connections__state__in=LIVE).distinct()
    stale = TARIFFS.ready(used.exclude(pk__in=fresh.values("application")))
    TARIFFS.work_each(list(stale), fetch_tariffs)
