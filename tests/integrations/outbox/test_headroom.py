"""A call notification goes before activations that can spare a call, and waits for those that cannot."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.activation.call_kinds import Activate
from integrations.connections.models import Chain
from integrations.outbox import budget_shares
from integrations.outbox.claim import claim_next
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue
from integrations.telephony.call_notifications import notify_of_call
from tests.not_none import not_none

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ten_a_minute(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALTEGIO_REQUESTS_PER_MINUTE = 10
    monkeypatch.setattr(budget_shares, "SHARES", ())
    monkeypatch.setattr(budget_shares, "SPARED_PART", 1.0)


def wait_for_activation(count: int, minutes: float) -> None:
    """Queue activations that have waited for longer than the clocks may differ."""
    now = timezone.now()
    calls = [
        new_call(Activate, f"{minutes}:{n}", deadline_at=now + timedelta(minutes=minutes), delay=-60)
        for n in range(count)
    ]
    queue(calls)


def ring_and_claim() -> str:
    notify_of_call(Chain.objects.create(altegio_id=501), phone="+447700900123", diversion="+442071838750")
    claim = claim_next()
    assert claim is not None
    return claim.call.kind


def test_a_notification_goes_before_activations_that_have_time() -> None:
    wait_for_activation(35, minutes=10)
    assert ring_and_claim() == "call_notification"


def test_a_notification_waits_for_activations_that_need_every_call() -> None:
    wait_for_activation(50, minutes=10)
    assert ring_and_claim() == "activate"


@pytest.mark.parametrize("gone", [{"state": "done"}, {"deadline_at": timezone.now() - timedelta(days=1)}])
def test_a_finished_or_expired_activation_needs_no_call(gone: dict[str, Any]) -> None:
    wait_for_activation(50, minutes=10)
    OutgoingCall.objects.filter(key__regex="[0-4]$").update(**gone)
    assert ring_and_claim() == "call_notification"


@pytest.mark.parametrize(("count", "goes_first"), [(257, "call_notification"), (258, "activate")])
def test_a_minute_holds_sixty_seconds_and_one_may_be_lost(settings: Settings, count: int, goes_first: str) -> None:
    settings.ALTEGIO_REQUESTS_PER_SECOND, settings.ALTEGIO_REQUESTS_PER_MINUTE = 1, 200
    with time_machine.travel(timezone.now().replace(second=0, microsecond=0), tick=False):
        wait_for_activation(count, minutes=10)
        assert ring_and_claim() == goes_first


def test_calls_kept_by_shares_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    half = budget_shares.BudgetShare(Priority.UNPROVEN, part=0.5)
    monkeypatch.setattr(budget_shares, "SHARES", (half,))
    wait_for_activation(35, minutes=10)
    assert ring_and_claim() == "activate"


def test_many_distant_deadlines_do_not_delay_a_notification() -> None:
    wait_for_activation(200, minutes=60)
    wait_for_activation(1, minutes=4)
    assert ring_and_claim() == "call_notification"


def test_the_phone_that_rang_first_is_notified_first() -> None:
    wait_for_activation(1, minutes=10)
    chain = Chain.objects.create(altegio_id=501)
    for phone in ("+447700900123", "+447700900124"):
        notify_of_call(chain, phone=phone, diversion="+442071838750")
    first, second = OutgoingCall.objects.filter(kind="call_notification").order_by("pk")
    assert [not_none(claim_next()).call for _ in range(2)] == [first, second]


def test_an_unconfirmed_activation_needs_its_calls_too() -> None:
    wait_for_activation(50, minutes=10)
    OutgoingCall.objects.filter(key__regex="[05]$").update(state="unconfirmed")
    assert ring_and_claim() == "activate"


def test_a_few_close_deadlines_make_a_notification_wait() -> None:
    wait_for_activation(1, minutes=60)
    wait_for_activation(20, minutes=2)
    assert ring_and_claim() == "activate"
