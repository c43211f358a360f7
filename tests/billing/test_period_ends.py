"""The end of a trial or paid period is announced once: to the partner's systems, and to the owner
with a way to pay.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.email_rendering import render
from accounts.models import Notification, OutgoingEmail
from accounts.notifications import send_digests
from billing.models import PeriodNotice, TariffOption
from billing.period_ends import note_ends
from integrations.connections.models import Application, Connection, Installation
from integrations.connections.transitions import lock, move
from integrations.outbox.models import OutgoingCall
from integrations.partner_events.fan_out import fan_out
from integrations.partner_events.models import PartnerEvent
from tests.billing.conftest import Billing
from tests.not_none import not_none
from tests.working import Work

pytestmark = [pytest.mark.django_db, pytest.mark.leaves_stranded("days pass without the workers")]
LONG = {"period_from": "2026-11-01T00:00:00Z", "period_to": "2126-01-01T00:00:00Z"}
OWN = "https://cabinet.example/pay?salon={salon_id}&connection={connection_id}"


@pytest.fixture
def trial_ends(connection: Connection) -> datetime:
    return not_none(connection.next_payment_at)


@pytest.fixture
def two_days_before(trial_ends: datetime) -> Iterator[None]:
    with time_machine.travel(trial_ends - timedelta(days=2), tick=False):
        yield


def published() -> list[dict[str, Any]]:
    """Return the bodies of the events about subscriptions."""
    fan_out()
    events = PartnerEvent.objects.filter(type__startswith="subscription.").order_by("pk")
    return [json.loads(event.body) for event in events]


def emails(template: str) -> list[str]:
    """Return the new e-mails of this kind to the owner, subjects first."""
    send_digests(timezone.now() + timedelta(minutes=5))
    new = OutgoingEmail.objects.filter(template=template, sent_at=None)
    messages = [render(outgoing_email) for outgoing_email in new.order_by("pk")]
    new.update(sent_at=timezone.now())
    return [f"{message.subject}\n{message.body}" for message in messages]


def test_the_end_is_published_before_and_after_it(connection: Connection, trial_ends: datetime) -> None:
    for days in (-5, -2, -1, 1, 2):
        with time_machine.travel(trial_ends + timedelta(days=days), tick=False):
            note_ends()
            note_ends()
    ending, overdue = published()
    assert (ending["type"], overdue["type"]) == ("subscription.ending", "subscription.overdue")
    assert datetime.fromisoformat(ending["data"]["next_payment_at"]) == trial_ends
    assert ending["data"]["connection"]["id"] == connection.pk


def test_events_of_another_application_at_the_location_do_not_count(
    connection: Connection, two_days_before: None
) -> None:
    other = Application.objects.create(altegio_id=77)
    place = Installation.fresh(other, connection.location)
    place.save()
    PeriodNotice.objects.create(installation=place, kind="ending", ends_at=not_none(connection.next_payment_at))
    note_ends()
    assert [event["data"]["connection"]["id"] for event in published()] == [connection.pk]


def test_the_owner_gets_one_email_with_the_day(two_days_before: None) -> None:
    note_ends()
    (text,) = emails("ending")
    assert "The free trial of Aurora Covent Garden ends on" in text
    note_ends()
    assert emails("ending") == []


def test_a_payment_that_is_on_its_way_ends_the_warning(
    billing: Billing, connection: Connection, two_days_before: None
) -> None:
    billing.pay(**LONG)
    assert note_ends() == 0
    assert published() == []


def test_a_payment_that_altegio_has_not_taken_for_a_day_hides_no_end(
    billing: Billing, connection: Connection, two_days_before: None
) -> None:
    billing.pay(**LONG)
    OutgoingCall.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert note_ends() == 1
    assert len(emails("ending")) == 1


def test_a_payment_a_moment_before_the_email_cancels_it(
    billing: Billing, connection: Connection, two_days_before: None
) -> None:
    note_ends()
    billing.pay(**LONG)
    assert emails("ending") == []


def test_the_next_period_gets_an_email_of_its_own(
    billing: Billing, connection: Connection, work: Work, trial_ends: datetime
) -> None:
    end = trial_ends + timedelta(days=30)
    with time_machine.travel(trial_ends - timedelta(days=1), tick=False):
        note_ends()
    billing.pay(period_from=trial_ends.isoformat(), period_to=end.isoformat())
    work()
    with time_machine.travel(end - timedelta(days=1), tick=False):
        note_ends()
        assert any("The paid period of" in text for text in emails("ending"))
    assert [event["type"] for event in published()] == ["subscription.ending"] * 2


def test_two_workers_publish_the_end_once(
    connection: Connection, two_days_before: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker notes the end between the reading of the list and the lock."""

    def note_first(connection_id: int) -> Connection:
        monkeypatch.undo()
        note_ends()
        return lock(connection_id)

    monkeypatch.setattr("billing.period_ends.lock", note_first)
    note_ends()
    assert len(published()) == PeriodNotice.objects.count() == 1


def test_nothing_is_published_when_the_transaction_fails(
    connection: Connection, two_days_before: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("billing.period_receivers.notify", lambda *_args, **_options: 1 / 0)
        note_ends()
    assert published() == []
    assert not PeriodNotice.objects.exists()


def test_an_application_may_leave_the_emails_to_the_partner(connection: Connection, two_days_before: None) -> None:
    Application.objects.update(tells_owners_of_periods=False)
    note_ends()
    move(lock(connection.pk), "frozen", "not paid")  # type: ignore[arg-type]
    assert not Notification.objects.filter(kind__in=("ending", "frozen")).exists()
    assert len(published()) == 1


def freeze(connection: Connection, trial_ends: datetime) -> str:
    """Return the e-mail about a connection that Altegio froze two days after its trial."""
    with time_machine.travel(trial_ends + timedelta(days=2), tick=False):
        move(lock(connection.pk), "frozen", "not paid")  # type: ignore[arg-type]
        (text,) = emails("frozen")
    return text


def test_the_email_about_a_freeze_says_since_when_why_and_how_much(
    connection: Connection, trial_ends: datetime
) -> None:
    TariffOption.objects.create(
        application=connection.application, altegio_id=1, tariff_title="Basic", price=990, currency="EUR"
    )
    text = freeze(connection, trial_ends)
    assert "Stopped since" in text
    assert "The free trial ended on" in text
    assert "Basic" in text
    assert "990" in text
    assert "/account/billing/" in text


def test_the_email_about_a_freeze_leads_to_the_partners_own_address(
    connection: Connection, trial_ends: datetime
) -> None:
    Application.objects.update(paid_through="address", payment_address=OWN)
    text = freeze(connection, trial_ends)
    assert f"https://cabinet.example/pay?salon=10101&connection={connection.pk}" in text
    assert "choose the location and a tariff" not in text


def test_no_email_about_a_freeze_once_the_payment_is_on_its_way(
    billing: Billing, connection: Connection, trial_ends: datetime
) -> None:
    with time_machine.travel(trial_ends + timedelta(days=2), tick=False):
        move(lock(connection.pk), "frozen", "not paid")  # type: ignore[arg-type]
        billing.pay(**LONG)
        assert emails("frozen") == []


LEADS_TO_PAYMENT = ["cabinet.example", "Get the address to pay at", "as you agreed"]


@pytest.mark.parametrize(
    ("page", "way", "shown", "not_shown"),
    [
        ("/account/", "altegio", ["Pay<"], ["cabinet.example"]),
        ("/account/", "address", ["Pay<"], ["Get the address to pay at"]),
        ("/account/", "nothing", [], [*LEADS_TO_PAYMENT, "Pay<"]),
        ("/account/billing/", "altegio", ["Get the address to pay at"], ["cabinet.example"]),
        ("/account/billing/", "address", ["https://cabinet.example/pay?salon=10101"], ["Get the address to pay at"]),
        ("/account/billing/", "nothing", [], [*LEADS_TO_PAYMENT, ">Pay<"]),
    ],
)
def test_pay_leads_where_the_application_says(
    client: Client, connection: Connection, page: str, way: str, shown: list[str], not_shown: list[str]
) -> None:
    TariffOption.objects.create(application=connection.application, altegio_id=1, title="Month", price=9)
    Application.objects.update(paid_through=way, payment_address=OWN)
    client.force_login(not_none(connection.owner))
    text = client.get(page).content.decode()
    assert [word for word in (*shown, *not_shown) if word in text] == shown


def test_no_link_is_requested_from_altegio_when_owners_pay_elsewhere(client: Client, connection: Connection) -> None:
    option = TariffOption.objects.create(application=connection.application, altegio_id=1, title="Month", price=9)
    Application.objects.update(paid_through="nothing")
    client.force_login(not_none(connection.owner))
    answer = client.post(f"/account/billing/link/{connection.pk}/{option.pk}/")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "address",
    ["", "http://cabinet.example/", "javascript:alert(1)", "https://x.example/{email}", "https://x.example/}"],
)
def test_an_address_that_nobody_can_open_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Application(altegio_id=1, paid_through="address", payment_address=address).full_clean()
