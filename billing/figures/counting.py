"""Counting of one month's figures from the connections and payments themselves, in four queries at any size."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Count,
    DecimalField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Floor, Greatest

from billing.models import Payment, PaymentStatus
from integrations.activation.adoption import ADOPTED
from integrations.connections.models import LIVE, Connection, State
from partner_portal.core.periods import Span

# A month of a year of 365.25 days, which is 30.4375 days: a paid period is valued by its share of these seconds.
SECONDS_OF_A_MONTH = 2_629_800
SECONDS_OF_A_DAY = 86_400
# A payment counts as won by the trial up to this long after the trial's end.
PAID_AFTER_TRIAL = timedelta(days=30)

Place = tuple[int, str]  # the application's pk, the location's country as Altegio names it ("" where it is not known)


@dataclass
class PlaceFigures:
    """The figures of one application in one country in one month, or the sum of several of them."""

    activated: int = 0
    live: int = 0  # when the month began
    uninstalled: int = 0  # of those, within the month
    trials: int = 0
    paid: int = 0  # of the trials
    revenue: dict[str, Decimal] = field(default_factory=dict)  # MRR by currency
    seconds: Counter[int] = field(default_factory=Counter)  # number of activations by seconds from the arrival

    def add(self, other: "PlaceFigures") -> None:
        """Add another place's figures to these, in place."""
        self.activated += other.activated
        self.live += other.live
        self.uninstalled += other.uninstalled
        self.trials += other.trials
        self.paid += other.paid
        for currency, amount in other.revenue.items():
            self.revenue[currency] = self.revenue.get(currency, Decimal(0)) + amount
        self.seconds.update(other.seconds)


class _Seconds(Func):
    """A duration in seconds; SQLite stores a duration as a number of microseconds."""

    template = "EXTRACT(EPOCH FROM %(expressions)s)"
    output_field = DecimalField(max_digits=20, decimal_places=6)

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s / 1000000.0)", **context)


def _between(later: str, earlier: str) -> _Seconds:
    return _Seconds(ExpressionWrapper(F(later) - F(earlier), output_field=DurationField()))


def count_month(span: Span, now: datetime) -> dict[Place, PlaceFigures]:
    """Return the figures of the month `span` by place, as they are known at `now`."""
    places: dict[Place, PlaceFigures] = defaultdict(PlaceFigures)
    _count_activated(span, places)
    _count_churn(span, places)
    _time_activations(span, places)
    _add_revenue(min(span[1] - timedelta(seconds=1), now), places)
    return dict(places)


def _count_activated(span: Span, places: dict[Place, PlaceFigures]) -> None:
    """Count the connections activated in the month, those of them in a trial, and the trials paid in time.

    A location that was taken over from before the portal had its trial elsewhere.
    """
    in_time = Payment.objects.filter(
        application=OuterRef("application"),
        location=OuterRef("location"),
        altegio_payment_id__isnull=False,
        paid_at__lte=OuterRef("trial_ends_at") + PAID_AFTER_TRIAL,
    ).exclude(status=PaymentStatus.REFUNDED)
    in_trial = Q(trial_ends_at__gt=F("activated_at")) & ~Q(claim=ADOPTED)
    activated = Connection.objects.filter(activated_at__gte=span[0], activated_at__lt=span[1])
    rows = activated.annotate(has_paid=Exists(in_time)).order_by().values_list("application_id", "location__country")
    counted = rows.annotate(
        activated=Count("pk"),
        trials=Count("pk", filter=in_trial),
        paid=Count("pk", filter=in_trial & Q(has_paid=True)),
    )
    for application, country, number, trials, paid in counted:
        place = places[application, country]
        place.activated, place.trials, place.paid = number, trials, paid


def _count_churn(span: Span, places: dict[Place, PlaceFigures]) -> None:
    """Count the connections that were live when the month began, and those of them that were uninstalled in it."""
    ended_since = Q(state=State.UNINSTALLED, ended_at__gte=span[0])
    live = Connection.objects.filter(Q(state__in=LIVE) | ended_since, activated_at__lt=span[0])
    counted = (
        live.order_by()
        .values_list("application_id", "location__country")
        .annotate(live=Count("pk"), ended=Count("pk", filter=ended_since & Q(ended_at__lt=span[1])))
    )
    for application, country, number, ended in counted:
        places[application, country].live, places[application, country].uninstalled = number, ended


def _time_activations(span: Span, places: dict[Place, PlaceFigures]) -> None:
    """Measure how long the month's activations took from the arrival; locations that were taken over are left out."""
    took = Cast(Floor(_between("activated_at", "arrived_at")), IntegerField())
    activated = Connection.objects.filter(
        activated_at__gte=span[0], activated_at__lt=span[1], arrived_at__lte=F("activated_at")
    )
    rows = activated.exclude(claim=ADOPTED).annotate(took=took).order_by()
    counted = rows.values_list("application_id", "location__country", "took").annotate(number=Count("pk"))
    for application, country, seconds, number in counted:
        places[application, country].seconds[two_digits(seconds)] += number


def _add_revenue(moment: datetime, places: dict[Place, PlaceFigures]) -> None:
    """Add the monthly recurring revenue (MRR) at `moment`: what each running payment comes to in a month.

    A payment runs from the beginning of its period to its end, both included, if it was made by `moment`, Altegio
    holds it, and it was not refunded by then. A period shorter than a day counts as a day.
    """
    running = Payment.objects.filter(
        period_from__lte=moment, period_to__gte=moment, paid_at__lte=moment, altegio_payment_id__isnull=False
    ).exclude(status=PaymentStatus.REFUNDED, refunded_at__lte=moment)
    period = Greatest(_between("period_to", "period_from") + Value(1), Value(SECONDS_OF_A_DAY))
    monthly = ExpressionWrapper(
        F("amount") * Value(SECONDS_OF_A_MONTH) / period, output_field=DecimalField(max_digits=30, decimal_places=6)
    )
    rows = running.order_by().values_list("application_id", "location__country", "currency")
    for application, country, currency, amount in rows.annotate(monthly=Sum(monthly)):
        places[application, country].revenue[currency] = amount


def two_digits(seconds: int) -> int:
    """Return a duration as it is stored: exact up to 99 seconds, rounded to two digits above (5 % off at most).

    So a month has at most a few hundred different durations, however many connections it has.
    """
    unit: int = 10 ** max(len(str(seconds)) - 2, 0)
    return (seconds + unit // 2) // unit * unit
