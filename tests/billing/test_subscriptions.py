"""Trials and paid periods are computed, shown, and announced before and after they end."""

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.emails import send_waiting_emails
from accounts.models import OutgoingEmail, User
from accounts.roles import Role
from billing.models import PeriodNotice
from billing.period_ends import note_ends
from billing.periods import follow_payments
from billing.subscriptions import Totals, count_subscriptions, mail_digest
from billing.tasks import watch_subscriptions
from billing.trials import follow_changed_trials
from integrations.connections.models import Application, Connection
from partner_portal.core.brand import Brand
from partner_portal.core.models import FailedItem
from sandbox import Sandbox
from tests.billing.conftest import Billing
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(db: None) -> User:
    person = User.objects.create_user("staff@partner.example", is_staff=True)
    person.groups.add(Group.objects.get(name=Role.FINANCE))
    return person


def in_days(days: int) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(days=days), tick=False)


def test_the_trial_begins_with_the_activation(billing: Billing, connection: Connection) -> None:
    shown = billing.get(f"connections/{connection.pk}/").json()
    assert connection.trial_ends_at == not_none(connection.activated_at) + timedelta(days=14)
    assert shown["next_payment_at"] == shown["trial_ends_at"]


def correct_trial_days(days: int | None, admin_client: Client) -> None:
    """Change the trial days in the application's form, as an operator does."""
    application = Application.objects.get()
    address = f"/admin/connections/application/{application.pk}/change/"
    form = admin_client.get(address).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name != "brand_logo"}
    values |= {"trial_days": days}
    answer = admin_client.post(address, {name: "" if value is None else value for name, value in values.items()})
    assert answer.status_code == 302, answer.context["errors"]


@pytest.mark.parametrize("days", [30, 7, 0, None])
def test_a_changed_trial_length_reaches_connected_locations(
    connection: Connection, admin_client: Client, days: int | None
) -> None:
    correct_trial_days(days, admin_client)
    assert follow_changed_trials() == 1
    assert follow_changed_trials() == 0
    begun = not_none(Connection.objects.get().activated_at)
    connection.refresh_from_db()
    assert connection.trial_ends_at == (begun + timedelta(days=days) if days else None)
    assert connection.next_payment_at == (connection.trial_ends_at or begun)


def test_a_changed_trial_length_leaves_paid_and_ended_connections(
    billing: Billing, connect: Callable[..., Connection], work: Work
) -> None:
    ended, paid = connect(), connect(10102)
    billing.pay(salon_id=10102, period_from="2026-11-01T00:00:00Z", period_to="2126-01-01T00:00:00Z")
    work()
    Connection.objects.filter(pk=ended.pk).update(state="uninstalled")
    Application.objects.update(trial_days=30)
    assert follow_changed_trials() == 1
    paid.refresh_from_db()
    assert paid.next_payment_at == paid.paid_until
    assert Connection.objects.get(pk=ended.pk).trial_ends_at == ended.trial_ends_at


def test_a_correct_trial_is_not_rewritten(connection: Connection) -> None:
    follow_changed_trials()
    assert Application.objects.get().trial_days_followed == 14
    assert Connection.objects.get().updated_at == connection.updated_at


def test_a_trial_that_cannot_be_updated_stops_no_other_and_is_retried(
    connect: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = connect(), connect(10102)
    Application.objects.update(trial_days=30)

    def fail(connection: Connection) -> None:
        if connection.pk == bad.pk:
            raise ValueError("for the test")
        follow_payments(connection)

    with monkeypatch.context() as patched:
        patched.setattr("billing.trials.follow_payments", fail)
        assert follow_changed_trials() == 1
    FailedItem.objects.all().delete()
    assert follow_changed_trials() == 1
    assert good.trial_ends_at != Connection.objects.get(pk=good.pk).trial_ends_at


def test_no_trial_ends_by_its_old_length_before_it_is_updated(connection: Connection) -> None:
    Application.objects.update(trial_days=30)
    with in_days(15):
        note_ends()
    assert not PeriodNotice.objects.exists()


def test_a_reconnection_has_no_new_trial_and_keeps_what_was_paid(
    altegio: Sandbox, billing: Billing, connect: Callable[..., Connection], work: Work
) -> None:
    first = connect()
    billing.pay(period_from="2026-11-01T00:00:00Z", period_to="2126-01-01T00:00:00Z")
    work()
    altegio.uninstall(10101)
    with in_days(1):
        altegio.grant(10101, user_id=9001, at=timezone.now())
        again = connect()
    assert again.pk != first.pk
    assert again.trial_ends_at == first.trial_ends_at
    assert not_none(again.paid_until).year == 2126
    assert again.next_payment_at == again.paid_until


@pytest.mark.parametrize(("days", "emails"), [(1, 0), (12, 1), (15, 1)])
def test_staff_are_notified_before_the_end_and_after_it(
    connection: Connection, finance: User, days: int, emails: int
) -> None:
    with in_days(days):
        assert mail_digest() == emails
        assert OutgoingEmail.objects.filter(template="staff/subscriptions").count() == emails


def test_only_staff_who_may_see_subscriptions_are_notified(connection: Connection, finance: User) -> None:
    User.objects.create_user("no-role@partner.example", is_staff=True)
    with in_days(12):
        mail_digest()
    assert OutgoingEmail.objects.get(template="staff/subscriptions").person == finance


@pytest.mark.leaves_stranded("it comes back from days ahead, with calls that were due then")
def test_staff_get_one_subscription_email_a_day(connection: Connection, finance: User) -> None:
    with in_days(12):
        watch_subscriptions()
        watch_subscriptions()
        send_waiting_emails()
    with in_days(13):
        watch_subscriptions()
        send_waiting_emails()
    outgoing_emails = [outgoing_email for outgoing_email in mail.outbox if "need a payment" in outgoing_email.subject]
    assert len(outgoing_emails) == 2
    assert "ends on" in outgoing_emails[0].body


def test_a_payment_ends_the_warning(billing: Billing, connection: Connection, finance: User, work: Work) -> None:
    billing.pay(period_from="2026-11-01T00:00:00Z", period_to="2126-01-01T00:00:00Z")
    work()
    with in_days(15):
        assert mail_digest() == 0


def test_the_totals_of_the_chart(billing: Billing, connect: Callable[..., Connection], work: Work) -> None:
    connect(10101)
    connect(10102)
    billing.pay(period_from="2026-11-01T00:00:00Z", period_to="2126-01-01T00:00:00Z")
    work()
    Connection.objects.filter(location__altegio_id=10102).update(state="frozen")
    assert count_subscriptions() == Totals(paid=1, trial=0, expiring=0, overdue=0, frozen=1)


@pytest.mark.parametrize(
    ("days", "counted"),
    [
        ({"trial_ends_at": 30}, "trial"),
        ({"trial_ends_at": 30, "paid_until": -1}, "trial"),
        ({"trial_ends_at": 30, "paid_until": 1}, "paid"),
        ({"paid_until": 30}, "paid"),
        ({"paid_until": 1}, "expiring"),
        ({"paid_until": -1}, "overdue"),
        ({}, ""),
    ],
)
def test_each_connection_counts_by_how_it_stands_today(
    connection: Connection, days: dict[str, int], counted: str
) -> None:
    moments = {name: timezone.now() + timedelta(days=count) for name, count in days.items()}
    due = max(moments.values(), default=None)
    Connection.objects.update(**{"trial_ends_at": None, "paid_until": None, "next_payment_at": due} | moments)
    nobody = dict.fromkeys(("paid", "trial", "expiring", "overdue", "frozen"), 0)
    assert asdict(count_subscriptions()) == nobody | ({counted: 1} if counted else {})


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"trial_ends_at": 9}, "Altegio asks for a payment before the end of the trial."),
        ({"paid_until": 9}, "but Altegio has not switched it on again yet."),
        ({"paid_until": -9}, "Not paid since 21 November 2026."),
        ({}, ""),
    ],
)
def test_a_frozen_one_says_since_when_and_is_not_called_free_or_paid(
    client: Client, connection: Connection, days: dict[str, int], words: str
) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    moments = {name: now + timedelta(days=count) for name, count in days.items()}
    unset = {"trial_ends_at": None, "paid_until": None, "next_payment_at": max(moments.values(), default=None)}
    frozen = {"state": "frozen", "activated_at": now - timedelta(days=20), "frozen_at": now - timedelta(days=3)}
    Connection.objects.update(**(unset | moments | frozen))
    with time_machine.travel(now, tick=False):
        client.force_login(not_none(connection.owner))
        for path in ("/account/", "/account/billing/"):
            page = client.get(path).content.decode()
            assert "frozen by Altegio since 27 November 2026, until the subscription is paid." in page
            assert words in page
            assert not re.search(r"Free trial until|Paid until [^,<]+\d\.|Next payment", page)


def test_an_owner_who_cannot_pay_on_a_page_reads_where_to_ask(
    client: Client, connection: Connection, settings: Settings
) -> None:
    Connection.objects.update(state="frozen")
    Application.objects.update(paid_through=Application.PaidThrough.NOTHING)
    client.force_login(not_none(connection.owner))
    for path in ("/account/", "/account/billing/"):
        settings.BRAND = Brand(support_email="care@bluebird.example")
        page = client.get(path).content.decode()
        assert 'To pay, write to <a href="mailto:care@bluebird.example">care@bluebird.example</a>.' in page
        settings.BRAND = Brand()
        assert "To pay" not in client.get(path).content.decode()


def test_the_owner_sees_it(client: Client, connection: Connection) -> None:
    client.force_login(not_none(connection.owner))
    page = client.get("/account/").content.decode()
    assert "Free trial until" in page
