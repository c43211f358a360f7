"""The next of many waiting calls is proven or of a small arrival, with shares for money, phones and the unproven."""

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from billing.call_kinds import ReportPayment
from integrations.activation.call_kinds import Activate
from integrations.messaging.call_kinds import RelayStatuses
from integrations.outbox import budget_shares, rate
from integrations.outbox.call_kinds import CallKind
from integrations.outbox.claim import InLine, claim_next
from integrations.outbox.dispatcher import _can_wait
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue
from integrations.sender_names.call_kinds import SendSenderNames
from integrations.status_sync.status_sync import AskPatiently, AskStatus
from integrations.telephony.call_notifications import CallNotification

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _busy(settings: Settings) -> None:
    """Let waiting activations need every call."""
    settings.ALTEGIO_REQUESTS_PER_MINUTE = 5
    budget_shares._dice.seed(1)


def wait(kind: type[CallKind], count: int, *, turn: int = 0, priority: Priority | None = None) -> None:
    now = timezone.now()
    keys = [f"{kind.name}:{turn}:{priority}:{n}" for n in range(count)]
    calls = [new_call(kind, key, ordering_key=key, deadline_at=now + timedelta(hours=1)) for key in keys]
    for call in calls:
        call.turn, call.due_at = turn, now - LONG_AGO
        call.priority = kind.priority if priority is None else priority
    queue(calls)


def taken(count: int) -> Counter[int]:
    found: Counter[int] = Counter()
    for _ in range(count):
        claim = claim_next()
        assert claim is not None
        found[claim.call.priority] += 1
    return found


def test_a_small_arrival_goes_before_the_rest_of_a_large_one() -> None:
    wait(Activate, 5, turn=3)
    wait(Activate, 1, turn=0)
    claim = claim_next()
    assert claim is not None
    assert claim.call.turn == 0


def test_money_and_set_up_keep_a_share_whatever_waits() -> None:
    wait(Activate, 400)
    wait(AskStatus, 100)
    found = taken(150)
    assert 5 <= found[Priority.CHECK] <= 40
    assert found[Priority.ACTIVATION] > 100


def test_money_and_set_up_keep_their_share_of_any_number_of_notifications() -> None:
    wait(CallNotification, 400)
    wait(AskStatus, 100)
    wait(Activate, 100, priority=Priority.UNPROVEN)
    found = taken(150)
    assert 5 <= found[Priority.CHECK] <= 40
    assert 5 <= found[Priority.UNPROVEN] <= 40
    assert found[Priority.NOTIFICATION] > 90


def test_money_and_set_up_keep_their_share_of_notifications_that_activations_can_spare(settings: Settings) -> None:
    settings.ALTEGIO_REQUESTS_PER_MINUTE = 200
    wait(Activate, 400)
    wait(CallNotification, 400)
    wait(AskStatus, 100)
    found = taken(150)
    assert 5 <= found[Priority.CHECK] <= 40
    assert 30 <= found[Priority.NOTIFICATION] <= 100, "the activations have time"


@pytest.mark.parametrize("kind", [CallNotification, AskStatus, ReportPayment, SendSenderNames])
def test_an_activation_goes_within_a_few_turns_however_much_else_waits(kind: type[CallKind]) -> None:
    wait(Activate, 1)
    wait(kind, 100)
    assert taken(15)[Priority.ACTIVATION] == 1


def test_an_activation_that_has_just_come_goes_at_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_shares, "SHARES", ())
    wait(CallNotification, 100)
    wait(AskStatus, 100)
    queue([new_call(Activate, f"now:{n}", deadline_at=timezone.now() + timedelta(hours=1)) for n in range(5)])
    assert taken(5) == {Priority.ACTIVATION: 5}


def test_payments_and_set_up_keep_a_share_of_any_number_of_questions() -> None:
    wait(AskStatus, 400)
    wait(ReportPayment, 100)
    wait(SendSenderNames, 100)
    found = taken(150)
    assert 5 <= found[Priority.MONEY] <= 40
    assert 5 <= found[Priority.SETUP] <= 40
    assert found[Priority.CHECK] > 75


def test_statuses_and_rechecks_keep_a_share_of_a_file_with_the_payments_of_years() -> None:
    wait(ReportPayment, 400, turn=1)
    wait(RelayStatuses, 100)
    wait(AskPatiently, 100)
    found = taken(150)
    assert 5 <= found[Priority.BULK] <= 40
    assert 2 <= found[Priority.HOUSEKEEPING] <= 30


def test_no_activation_waits_for_statuses_or_rechecks() -> None:
    wait(Activate, 150)
    wait(RelayStatuses, 100)
    wait(AskPatiently, 100)
    assert taken(150) == {Priority.ACTIVATION: 150}


def test_a_notification_keeps_a_share_when_activations_need_every_call() -> None:
    wait(Activate, 400)
    queue([new_call(CallNotification, f"rings:{n}") for n in range(100)])
    found = taken(150)
    assert 5 <= found[Priority.NOTIFICATION] <= 40
    assert found[Priority.ACTIVATION] > 100


def test_the_share_of_a_leading_priority_goes_to_nobody_else() -> None:
    wait(AskStatus, 100)
    wait(CallNotification, 5)
    queue([new_call(Activate, "now", deadline_at=timezone.now() + timedelta(hours=1))])
    OutgoingCall.objects.filter(key="now").update(priority=Priority.UNPROVEN)
    with time_machine.travel(timezone.now(), tick=False):
        found = taken(50)
    assert found == {Priority.NOTIFICATION: 5, Priority.CHECK: 45}, "what has just come claims no share"


def test_choosing_the_next_call_costs_little_whatever_waits(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for kind in (Activate, CallNotification, AskStatus):
        wait(kind, 40)
    wait(Activate, 40, priority=Priority.UNPROVEN)
    for _ in range(30):
        # Two savepoints, the planner's setting, the first call, a notification, whether there is a call to spare,
        # a share's call, and the claim.
        with django_assert_max_num_queries(8):
            assert claim_next()


def test_money_that_waited_goes_before_activations_that_have_time(settings: Settings) -> None:
    settings.ALTEGIO_REQUESTS_PER_MINUTE = 200
    wait(Activate, 20)
    wait(AskStatus, 1)
    found = taken(10)
    assert found == {Priority.CHECK: 1, Priority.ACTIVATION: 9}


def test_money_that_has_just_come_waits_for_activations(settings: Settings) -> None:
    settings.ALTEGIO_REQUESTS_PER_MINUTE = 200
    wait(Activate, 5)
    queue([new_call(AskStatus, "now")])
    assert taken(5) == {Priority.ACTIVATION: 5}


def test_unproven_activations_are_served_last_but_served() -> None:
    wait(Activate, 300, priority=Priority.UNPROVEN)
    wait(AskStatus, 400)
    found = taken(300)
    assert 15 <= found[Priority.UNPROVEN] <= 60
    served = OutgoingCall.objects.filter(priority=Priority.UNPROVEN).order_by("pk")[: found[Priority.UNPROVEN]]
    assert {call.state for call in served} == {"sending"}, "the oldest first"


def test_a_bots_claims_stand_behind_money_that_has_just_come() -> None:
    wait(Activate, 50, priority=Priority.UNPROVEN)
    queue([new_call(AskStatus, "now")])
    OutgoingCall.objects.filter(priority=Priority.UNPROVEN).update(due_at=timezone.now())
    claim = claim_next()
    assert claim is not None
    assert claim.call.key == "now"


def test_a_bots_claims_and_large_lots_leave_room_for_who_comes_next(settings: Settings) -> None:
    settings.ALTEGIO_REQUESTS_PER_MINUTE = 200
    assert _can_wait(InLine(Priority.UNPROVEN, turn=0, may_ask=False))
    assert _can_wait(InLine(Priority.ACTIVATION, turn=5, may_ask=False))
    assert not _can_wait(InLine(Priority.ACTIVATION, turn=0, may_ask=False))
    while isinstance(rate.take_slot(patient=True), rate.Slot):
        pass
    assert isinstance(rate.take_slot(), rate.Slot)
