"""The weekly e-mail goes out once on Monday, to staff who may see money, with last week beside the week before."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth.models import Group
from pytest_django.fixtures import Settings

from accounts.email_rendering import render
from accounts.models import OutgoingEmail, User
from billing.figures.weekly import mail_week
from billing.models import Payment
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection, ConnectionChange, Location

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.leaves_stranded("it comes back to the present with an e-mail of that Monday"),
]
MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture
def anna(db: None) -> User:
    user = User.objects.create_user("anna@partner.example", is_staff=True)
    user.groups.add(Group.objects.get(name="Viewer"), Group.objects.get(name="Finance"))
    return user


@pytest.fixture
def connection(db: None) -> Connection:
    """Return a connection activated at the last moment of last week and uninstalled in the week before, also in weeks
    that do not count.
    """
    place = Location.objects.create(altegio_id=1)
    row = Connection.objects.create(
        application=Application.objects.create(altegio_id=1),
        location=place,
        claim="u:1",
        state="active",
        **dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at"), MONDAY),
    )
    for moment, before, after in (
        ("2026-11-22T23:59:59", "granted", "active"),
        ("2026-11-16T00:00:00", "active", "frozen"),
        ("2026-11-15T23:59:59", "active", "uninstalled"),
        ("2026-11-09T00:00:00", "granted", "active"),
        ("2026-11-08T23:59:59", "granted", "active"),
        ("2026-11-23T00:00:00", "granted", "active"),
    ):
        at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        ConnectionChange.objects.create(connection=row, at=at, from_state=before, to_state=after)
    return row


def report(connection: Connection, amount: str, currency: str, days: int) -> None:
    at = MONDAY - timedelta(days=days)
    place = {"connection": connection, "application": connection.application, "location": connection.location}
    number = Payment.objects.count() + 1
    times = dict.fromkeys(("paid_at", "period_from", "period_to", "reported_at"), at)
    held = {"source": "api", "status": "reported", "altegio_payment_id": number, **place, **times}
    Payment.objects.bulk_create([Payment(amount=Decimal(amount), currency=currency, **held)])


def test_last_week_stands_beside_the_week_before(anna: User, connection: Connection) -> None:
    report(connection, "10.50", "EUR", 1)
    report(connection, "20.00", "EUR", 6)
    report(connection, "5.00", "EUR", 8)
    report(connection, "1000", "JPY", 9)
    report(connection, "7.00", "EUR", 15)
    Alert.objects.create(key="a", kind="call", text="refused")
    with time_machine.travel(MONDAY, tick=False):
        assert mail_week() == 1
        message = render(OutgoingEmail.objects.get())
    assert (message.to, message.subject) == (
        ["anna@partner.example"],
        "The week in figures: 16 November – 22 November 2026",
    )
    assert str(message.body).splitlines() == [
        "- Activated: 1 (the week before: 1)",
        "- Uninstalled: 0 (the week before: 1)",
        "- Frozen: 1 (the week before: 0)",
        "- Payments reported, EUR: 2 (30.50) (the week before: 1 (5.00))",
        "- Payments reported, JPY: 0 (the week before: 1 (1,000))",
        "- Open alerts: 1",
        "",
        "All figures, by month:",
        "http://localhost:8000/admin/billing/payment/figures/",
    ]
    assert "See all figures" in str(message.alternatives[0][0])


def test_the_weekly_email_comes_once_on_monday_morning(anna: User, connection: Connection) -> None:
    sent = {}
    for hours in (-1, 0, 1, 17, 18, 24 * 7 - 1, 24 * 7):
        with time_machine.travel(MONDAY + timedelta(hours=hours), tick=False):
            sent[hours] = mail_week()
    assert sent == {-1: 0, 0: 1, 1: 0, 17: 0, 18: 0, 24 * 7 - 1: 0, 24 * 7: 1}
    assert OutgoingEmail.objects.filter(template="staff/figures").count() == 2


@time_machine.travel(MONDAY, tick=False)
def test_two_workers_send_the_weekly_email_once(
    anna: User, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_week()
    monkeypatch.setattr("django.db.models.QuerySet.exists", lambda _rows: False)  # the other has not committed yet
    mail_week()
    assert OutgoingEmail.objects.count() == 1


@time_machine.travel(MONDAY, tick=False)
def test_only_staff_who_may_see_money_get_the_weekly_email(anna: User, connection: Connection) -> None:
    User.objects.create_user("no-role@partner.example", is_staff=True)
    User.objects.create_user("owner@salon.example")
    User.objects.create_superuser("gone@partner.example", is_active=False)
    User.objects.create_superuser("root@partner.example")
    mail_week()
    assert set(OutgoingEmail.objects.values_list("to", flat=True)) == {"anna@partner.example", "root@partner.example"}


@time_machine.travel(MONDAY, tick=False)
def test_the_weekly_email_can_be_switched_off(anna: User, connection: Connection, settings: Settings) -> None:
    settings.WEEKLY_FIGURES_EMAIL = False
    assert mail_week() == 0


@time_machine.travel(MONDAY, tick=False)
def test_two_empty_weeks_send_no_email(anna: User) -> None:
    assert mail_week() == 0
