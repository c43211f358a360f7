"""The monthly figures equal those computed by hand from made-up histories."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from billing.figures.counting import count_month, two_digits
from billing.figures.months import count_due_months, month_span, places_of
from billing.figures.report import Filters, MonthFigures, percentile, read_report
from billing.figures.shown import duration
from billing.models import MonthlyFigures, Payment
from integrations.connections.models import Application, Connection, Location

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAGE = "/admin/billing/payment/figures/"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def application() -> Application:
    return Application.objects.create(altegio_id=1, name="Texts", trial_days=14)


@pytest.fixture
def connect(application: Application) -> Callable[..., Connection]:
    """Return a function that makes a connection, activated `seconds` after its arrival on a day."""

    def make(
        activated: str, *, ended: str = "", seconds: float = 30, country: str = "HU", **fields: Any
    ) -> Connection:
        application_ = fields.pop("application", application)
        place = Location.objects.create(altegio_id=Location.objects.count() + 1, country=country)
        begun = at(activated)
        arrived = begun - timedelta(seconds=seconds)
        state = {"state": "uninstalled", "ended_at": at(ended)} if ended else {"state": "active"}
        return Connection.objects.create(
            application=application_,
            location=place,
            arrived_at=arrived,
            last_arrived_at=arrived,
            deadline_at=arrived + timedelta(hours=1),
            activated_at=begun,
            **{"claim": f"u:{place.pk}", "trial_ends_at": begun + timedelta(days=14), **state, **fields},
        )

    return make


def pay(connection: Connection, amount: str, begins: str, ends: str, *, paid: str = "", **fields: Any) -> Payment:
    """Make a payment that Altegio holds; `ends` is its last whole day. It is too old for an e-mail."""
    number = Payment.objects.count() + 1
    stored = {"currency": "EUR", "status": "reported", "altegio_payment_id": number, **fields}
    payment = Payment(
        source="api",
        connection=connection,
        application=connection.application,
        location=connection.location,
        amount=Decimal(amount),
        paid_at=at(paid or begins),
        period_from=at(begins),
        period_to=at(ends) + timedelta(days=1, seconds=-1),
        **stored,
    )
    Payment.objects.bulk_create([payment])
    return payment


def month(name: str, filters: Filters | None = None, *, now: datetime = NOW) -> MonthFigures:
    """Return the figures of a month ("2026-10"), counted now."""
    with time_machine.travel(now, tick=False):
        MonthlyFigures.objects.all().delete()
        count_due_months()
        return next(row for row in read_report(filters or Filters()).months if f"{row.month:%Y-%m}" == name)


def test_revenue_is_spread_over_the_days_of_the_period(connect: Callable[..., Connection]) -> None:
    # 31 days for 31.00: 1.00 a day, 30.4375 a month. A year of 365 days for 365.00 is as much. Together 60.875.
    pay(connect("2026-10-01"), "31.00", "2026-10-01", "2026-10-31")
    pay(connect("2026-10-01"), "365.00", "2026-03-01", "2027-02-28")
    assert month("2026-10").total.revenue == {"EUR": Decimal("60.875")}
    assert month("2026-09").total.revenue == {"EUR": Decimal("30.4375")}


def test_revenue_counts_what_runs_and_is_held_at_the_end_of_the_month(connect: Callable[..., Connection]) -> None:
    place = connect("2026-08-01")
    pay(place, "31.00", "2026-10-01", "2026-10-30")  # over on the last day
    pay(place, "31.00", "2026-11-01", "2026-11-30", paid="2026-10-20")  # paid, and not begun
    pay(place, "31.00", "2026-10-01", "2026-10-31", paid="2026-11-02")  # paid later
    pay(place, "31.00", "2026-10-01", "2026-10-31", status="failed", altegio_payment_id=None)
    assert month("2026-10").total.revenue == {}


def test_a_refund_ends_the_revenue_from_its_month_on(connect: Callable[..., Connection]) -> None:
    # 61 days for 61.00: 30.4375 a month, until it was refunded on 5 October.
    payment = pay(connect("2026-09-01"), "61.00", "2026-09-01", "2026-10-31")
    Payment.objects.filter(pk=payment.pk).update(status="refunded", refunded_at=at("2026-10-05"))
    assert month("2026-09").total.revenue == {"EUR": Decimal("30.4375")}
    assert month("2026-10").total.revenue == {}


def test_the_present_month_has_the_revenue_of_now(connect: Callable[..., Connection]) -> None:
    place = connect("2026-11-01")
    pay(place, "10.00", "2026-11-15", "2026-11-24")  # 1.00 a day
    pay(place, "10.00", "2026-11-21", "2026-11-30")
    assert month("2026-11").total.revenue == {"EUR": Decimal("30.4375")}


def test_currencies_are_never_added_together(connect: Callable[..., Connection]) -> None:
    pay(connect("2026-10-01"), "31.00", "2026-10-01", "2026-10-31")
    pay(connect("2026-10-01"), "31000", "2026-10-01", "2026-10-31", currency="JPY")
    assert month("2026-10").total.revenue == {"EUR": Decimal("30.4375"), "JPY": Decimal("30437.5")}


def test_trial_to_paid_counts_the_trials_of_the_month(connect: Callable[..., Connection]) -> None:
    # Activated on 1 September, the trial ends on the 15th: who pays until 15 October was won.
    pay(connect("2026-09-01"), "9.00", "2026-09-15", "2026-10-14")
    pay(connect("2026-09-01"), "9.00", "2026-10-15", "2026-11-14", paid="2026-10-15")
    pay(connect("2026-09-01"), "9.00", "2026-10-16", "2026-11-14", paid="2026-10-16")  # a day too late
    pay(connect("2026-09-01"), "9.00", "2026-09-15", "2026-10-14", status="refunded", refunded_at=at("2026-10-01"))
    pay(connect("2026-09-01"), "9.00", "2026-09-15", "2026-10-14", status="failed", altegio_payment_id=None)
    connect("2026-09-01", trial_ends_at=at("2026-08-20"))  # came again, the trial was over
    connect("2026-09-01", trial_ends_at=None)  # of an application without a trial
    connect("2026-09-01", claim="adopted")
    total = month("2026-09").total
    assert (total.activated, total.trials, total.paid) == (8, 5, 2)


def test_churn_counts_connections_that_were_live_when_the_month_began(connect: Callable[..., Connection]) -> None:
    connect("2026-09-30")
    connect("2026-08-01", state="frozen")
    connect("2026-08-01", ended="2026-10-31 23:59:59")
    connect("2026-08-01", ended="2026-11-01")  # live on the whole of October
    connect("2026-08-01", ended="2026-09-30")  # over before
    connect("2026-10-01")  # came on the first day
    connect("2026-10-03", ended="2026-10-20")  # came and went
    total = month("2026-10").total
    assert (total.live, total.uninstalled, total.activated) == (4, 1, 2)


def test_time_to_activation_by_rank(connect: Callable[..., Connection]) -> None:
    # 19 of 5 to 95 seconds and one of 1,234: the 10th of 20 is 50, the 19th is 95; the last is kept as 1,200.
    for number in range(1, 20):
        connect("2026-10-05", seconds=5 * number + 0.9)
    connect("2026-10-05", seconds=1234)
    connect("2026-10-05", seconds=-90_000, claim="adopted")  # was live before it arrived here
    seconds = month("2026-10").total.seconds
    assert (percentile(seconds, 50), percentile(seconds, 95), percentile(seconds, 100)) == (50, 95, 1200)


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [(0, 0), (99, 99), (100, 100), (114, 110), (115, 120), (995, 1000), (3649, 3600)],
)
def test_long_times_are_kept_in_two_digits(seconds: int, kept: int) -> None:
    assert two_digits(seconds) == kept


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "–"), (0, "0 s"), (60, "1 min"), (750, "12 min 30 s"), (12_000, "3 h 20 min")]
)
def test_a_time_is_shown_in_its_two_largest_units(seconds: int | None, words: str) -> None:
    assert duration(seconds).replace("\u00a0", " ") == words


def test_by_application_and_country(connect: Callable[..., Connection]) -> None:
    other = Application.objects.create(altegio_id=2, trial_days=0)
    pay(connect("2026-10-02", country="HU"), "31.00", "2026-10-01", "2026-10-31")
    connect("2026-10-02", country="PT", ended="2026-11-01")
    connect("2026-10-02", country="", application=other)
    assert month("2026-10").total.activated == 3
    assert month("2026-10", Filters(country="HU")).total.activated == 1
    assert month("2026-10", Filters(country="")).total.activated == 1
    assert month("2026-10", Filters(application=other.pk)).total.revenue == {}
    assert month("2026-10", Filters(application=other.pk, country="HU")).places == {}


def counted(name: str) -> MonthlyFigures:
    return MonthlyFigures.objects.get(month=date.fromisoformat(f"{name}-01"))


def test_a_month_is_counted_until_its_trials_have_settled(connect: Callable[..., Connection]) -> None:
    """A trial that begins on 31 October ends by 14 November; the 30 days after it end by 14 December."""
    connect("2026-10-02")
    with time_machine.travel(NOW, tick=False) as clock:
        assert count_due_months() == 12
        assert count_due_months() == 0
        assert [counted(name).is_settled for name in ("2026-11", "2026-10", "2026-09")] == [False, False, True]
        clock.shift(timedelta(hours=1))
        assert count_due_months() == 1, "the present one"
        clock.shift(timedelta(hours=23))
        assert count_due_months() == 2, "October too"
        clock.move_to(at("2026-12-15"))
        count_due_months()
        assert counted("2026-10").is_settled
        connect("2026-10-03")
        clock.shift(timedelta(days=2))
        count_due_months()
        assert sum(place.activated for place in places_of(counted("2026-10")).values()) == 1
        assert sum(place.activated for place in places_of(counted("2026-11")).values()) == 0


def test_a_month_that_has_ended_is_counted_to_its_end_at_once(connect: Callable[..., Connection]) -> None:
    with time_machine.travel(at("2026-11-30 23:50"), tick=False) as clock:
        count_due_months()
        connect("2026-11-30 23:55")
        clock.shift(timedelta(minutes=10))
        count_due_months()
        assert [place.activated for place in places_of(counted("2026-11")).values()] == [1]


def test_a_month_that_cannot_be_counted_stops_no_other(
    connect: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(span: Any, now: datetime) -> Any:
        if span[0] == at("2026-05-01"):
            raise ValueError("no")
        return count_month(span, now)

    monkeypatch.setattr("billing.figures.months.count_month", broken)
    with time_machine.travel(NOW, tick=False):
        assert count_due_months() == 11


@pytest.fixture
def viewer(client: Client) -> Client:
    user = User.objects.create_user("staff@partner.example", is_staff=True)
    user.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(user)
    return client


def history(connect: Callable[..., Connection]) -> None:
    pay(connect("2026-09-02", country="HU"), "31.00", "2026-10-01", "2026-10-31")
    pay(connect("2026-10-02", country="=PT", seconds=90), "31000", "2026-10-01", "2026-10-31", currency="JPY")
    connect("2026-09-02", ended="2026-10-04")


@time_machine.travel(NOW, tick=False)
def test_the_page_shows_each_figure_with_its_definition_and_numbers(
    viewer: Client, connect: Callable[..., Connection]
) -> None:
    assert "Nothing is counted yet" in viewer.get(PAGE).content.decode()
    history(connect)
    count_due_months()
    answer = viewer.get(PAGE)
    october = {panel.title: panel.rows[1] for panel in answer.context["panels"]}
    assert october == {
        "Monthly recurring revenue": ["Oct 2026", "30.44", "30,438"],
        "Trial to paid": ["Oct 2026 *", "1", "1", "100.0\u00a0%"],
        "Churn": ["Oct 2026", "2", "1", "50.0\u00a0%"],
        "Time to activation": ["Oct 2026", "1", "1\u00a0min 30\u00a0s", "1\u00a0min 30\u00a0s"],
    }
    page = answer.content.decode()
    assert "taken for 30.44 days" in page
    assert 'aria-label="Churn. Dec: –; Jan: –;' in page
    assert "style=" not in page


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    "query", ["", "?application=99&country=x", "?application=%D9%A1&country==XX", "?application=" + "9" * 30]
)
def test_the_page_asks_a_constant_number_of_queries(
    viewer: Client, connect: Callable[..., Connection], query: str
) -> None:
    count_due_months()
    viewer.get(PAGE)
    with CaptureQueriesContext(database) as empty:
        assert viewer.get(PAGE + query).status_code == 200
    for _ in range(5):
        history(connect)
    MonthlyFigures.objects.all().delete()
    count_due_months()
    with CaptureQueriesContext(database) as full:
        assert viewer.get(PAGE + query).status_code == 200
    assert len(full) == len(empty)


@time_machine.travel(NOW, tick=False)
def test_a_month_is_counted_in_four_queries(
    connect: Callable[..., Connection], django_assert_num_queries: Callable[..., Any]
) -> None:
    for _ in range(3):
        history(connect)
    with django_assert_num_queries(4):
        count_month(month_span(date(2026, 10, 1)), NOW)


@time_machine.travel(NOW, tick=False)
def test_the_same_as_csv(viewer: Client, connect: Callable[..., Connection]) -> None:
    history(connect)
    count_due_months()
    answer = viewer.get(PAGE, {"format": "csv", "country": "==PT"})
    assert answer["Content-Disposition"] == 'attachment; filename="figures.csv"'
    rows = [row for row in csv.DictReader(answer.content.decode().splitlines()) if row["month"] == "2026-10"]
    assert rows == [
        {
            "month": "2026-10",
            "application_id": "1",
            "country": "'=PT",
            "is_settled": "no",
            "activated": "1",
            "trials": "1",
            "trials_paid": "1",
            "trial_to_paid_percent": "100.0",
            "live_at_start": "0",
            "uninstalled": "0",
            "churn_percent": "",
            "activation_median_seconds": "90",
            "activation_p95_seconds": "90",
            "mrr_JPY": "30438",
        }
    ]


def test_only_staff_who_may_see_payments_see_the_figures(client: Client) -> None:
    user = User.objects.create_user("staff@partner.example", is_staff=True)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
