"""The outbox keeps order and leases, backs off, and sends the newest of coalesced calls."""

import threading
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from integrations.activation.call_kinds import Activate
from integrations.connections.models import Chain
from integrations.locations.call_kinds import FetchLocations
from integrations.outbox import rate
from integrations.outbox.claim import claim_next
from integrations.outbox.delays import back_off_seconds, before_deadline
from integrations.outbox.dispatcher import PATIENT_DISPATCHERS, _patient_places, dispatch_due
from integrations.outbox.executor import FAILING, LeaseLostError, _back_off, _end, execute
from integrations.outbox.hosts import known_host
from integrations.outbox.models import Attempt, CallState, KnownHost, OutgoingCall
from integrations.outbox.queue import KeyTakenError, cancel, new_call, queue, queue_newest
from integrations.outbox.sweep import recover_lost_calls
from integrations.status_sync.status_sync import AskStatus
from integrations.telephony.call_notifications import notify_of_call
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.not_none import not_none

pytestmark = pytest.mark.django_db


def add(key: str, **fields: Any) -> OutgoingCall:
    kind = fields.pop("kind", Activate)
    due_at = fields.pop("due_at", None)
    call = new_call(kind, key, **fields)
    if due_at:
        call.due_at = due_at
    queue([call])
    return OutgoingCall.objects.get(key=key)


def claimed_keys() -> list[str]:
    keys = []
    while claim := claim_next():
        keys.append(claim.call.key)
    return keys


def test_the_earliest_deadline_goes_first_within_a_priority() -> None:
    now = timezone.now()
    add("question", kind=AskStatus)
    add("late", deadline_at=now + timedelta(hours=1))
    add("soon", deadline_at=now + timedelta(minutes=1))
    add("whenever")
    assert claimed_keys() == ["soon", "late", "whenever", "question"]


def test_calls_with_one_ordering_key_go_one_after_the_other() -> None:
    add("first", ordering_key="a")
    add("second", ordering_key="a")
    add("other", ordering_key="b")
    assert claimed_keys() == ["first", "other"]


def test_a_call_that_waits_for_its_retry_blocks_its_ordering_key() -> None:
    add("first", ordering_key="a", due_at=timezone.now() + timedelta(minutes=1))
    add("second", ordering_key="a")
    assert claimed_keys() == []


def test_the_same_intention_is_queued_once() -> None:
    add("one")
    add("one")
    queue([new_call(Activate, "one"), new_call(Activate, "one"), new_call(Activate, "two")])
    assert sorted(OutgoingCall.objects.values_list("key", flat=True)) == ["one", "two"]


@pytest.mark.parametrize("state", [CallState.DONE, CallState.REFUSED, CallState.EXPIRED, CallState.CANCELLED])
def test_reusing_the_key_of_a_finished_intention_is_an_error(state: CallState) -> None:
    add("one")
    OutgoingCall.objects.update(state=state)
    with pytest.raises(KeyTakenError, match="one"):
        add("one")


@pytest.mark.parametrize("other", [{"kind": AskStatus}, {"salon": 2}])
def test_another_intention_under_a_waiting_key_is_an_error(other: dict[str, Any]) -> None:
    add("one", salon=1)
    with pytest.raises(KeyTakenError, match="one"):
        add("one", **{"salon": 1, **other})


def test_quick_changes_become_one_call() -> None:
    for _ in range(5):
        queue_newest(AskStatus, "status:1")
    assert OutgoingCall.objects.count() == 1


def test_a_coalesced_call_is_not_given_up_before_it_is_sent() -> None:
    """After refusals the call may wait to the end of its day."""
    queue_newest(AskStatus, "return:1")
    deadline = not_none(OutgoingCall.objects.get().deadline_at)
    queue_newest(AskStatus, "return:1")
    assert OutgoingCall.objects.get().deadline_at == deadline
    OutgoingCall.objects.update(deadline_at=timezone.now() + timedelta(seconds=5))
    queue_newest(AskStatus, "return:1")
    assert not_none(OutgoingCall.objects.get().deadline_at) >= deadline


def test_a_change_during_the_sending_makes_another_call() -> None:
    queue_newest(AskStatus, "status:1")
    claim_next()
    queue_newest(AskStatus, "status:1")
    assert OutgoingCall.objects.filter(state=CallState.QUEUED).count() == 1


def test_a_newer_call_waits_as_long_as_the_one_it_replaces() -> None:
    queue_newest(AskStatus, "status:1")
    claim = not_none(claim_next())
    queue_newest(AskStatus, "status:1")
    queue_newest(AskStatus, "status:2")
    _back_off(claim.call, CallState.QUEUED, "no answer", at_least=20)
    older, newer, other = OutgoingCall.objects.order_by("id")
    assert (older.state, newer.state) == (CallState.CANCELLED, CallState.QUEUED)
    assert newer.due_at > timezone.now() + timedelta(seconds=19)
    assert other.due_at <= timezone.now(), "another subject waits for nobody"


def test_a_worker_whose_lease_was_lost_writes_nothing() -> None:
    add("one")
    claim = not_none(claim_next())
    OutgoingCall.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert recover_lost_calls() == 1
    with pytest.raises(LeaseLostError):
        _end(claim.call, CallState.DONE, reason="")
    assert OutgoingCall.objects.get().state == CallState.UNCONFIRMED


def test_a_worker_whose_call_another_worker_has_writes_nothing() -> None:
    add("one")
    slow = not_none(claim_next())
    OutgoingCall.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    recover_lost_calls()
    quick = not_none(claim_next())
    with pytest.raises(LeaseLostError):
        _end(slow.call, CallState.DONE, reason="")
    assert OutgoingCall.objects.get().lease == quick.call.lease
    _end(quick.call, CallState.DONE, reason="")
    assert OutgoingCall.objects.get().state == CallState.DONE


@pytest.mark.parametrize("was", [CallState.QUEUED, CallState.UNCONFIRMED])
def test_without_a_slot_nothing_is_sent_and_the_call_waits_as_it_was(
    client: Client, altegio: Sandbox, was: CallState
) -> None:
    arrive(client, altegio, AURORA_1)
    OutgoingCall.objects.update(state=was)
    claim = not_none(claim_next())
    slot = rate.take_slot()
    assert isinstance(slot, rate.Slot)
    rate.pause(30)
    execute(claim, slot)
    call = OutgoingCall.objects.get()
    assert (call.state, call.lease, call.setbacks) == (was, None, 0)
    assert call.due_at > timezone.now() + timedelta(seconds=25)
    assert rate.used_in_the_last_minute() == 0
    assert not Attempt.objects.exists()
    assert altegio.requests() == []


def test_a_call_that_failed_in_the_portal_is_asked_about_when_staff_retry() -> None:
    add("refused", kind=AskStatus)
    add("done", kind=AskStatus)
    past = timezone.now() - timedelta(days=1)
    OutgoingCall.objects.update(state="done", setbacks=7, finished_at=past, due_at=past + timedelta(days=2))
    refused = OutgoingCall.objects.filter(key="refused")
    refused.update(state="refused")
    for call in OutgoingCall.objects.all():
        FAILING.set_aside(call.pk, RuntimeError())
        FAILING.bury(call.pk, "it failed")
        not_none(FAILING.retry)(call.pk)
    call = refused.get()
    assert (call.state, call.setbacks, call.finished_at) == (CallState.UNCONFIRMED, 0, None)
    assert not_none(call.deadline_at) > timezone.now() + timedelta(hours=23), "its day begins anew"
    assert call.due_at <= timezone.now()
    assert OutgoingCall.objects.get(key="done").state == CallState.DONE


def test_each_kind_of_call_remembers_a_host_of_its_own() -> None:
    KnownHost.objects.create(kind="tariffs", host="api")
    assert [known_host(kind) for kind in ("tariffs", "discount")] == ["api", "app"]


def test_cancelling_leaves_what_is_being_sent_to_its_answer() -> None:
    add("sent")
    claim_next()
    add("waits")
    assert cancel(OutgoingCall.objects.all(), "gone") == 1
    assert OutgoingCall.objects.get(key="sent").state == CallState.SENDING


def test_the_pause_after_a_setback_is_about_a_second_then_doubles_to_a_minute() -> None:
    for setbacks, low, high in ((0, 0.8, 1.2), (1, 1.6, 2.4), (3, 6.4, 9.6), (9, 60, 60), (500, 60, 60)):
        assert low <= back_off_seconds(setbacks) <= high


@pytest.mark.parametrize(("left", "wait"), [(40, 20), (300, 60), (1, 1)])
def test_a_pause_never_outlasts_the_call_that_waits(left: int, wait: int) -> None:
    call = add("late", deadline_at=timezone.now() + timedelta(seconds=left))
    assert before_deadline(call, 60) == pytest.approx(wait, abs=0.5)


@pytest.mark.django_db(transaction=True)
def test_no_worker_builds_a_call_before_its_change_is_committed() -> None:
    queue_newest(AskStatus, "status:1")
    committed, seen = threading.Event(), []

    def work() -> None:
        seen.append((claim_next() is not None, committed.is_set()))
        connections.close_all()

    worker = threading.Thread(target=work)
    with transaction.atomic():
        queue_newest(AskStatus, "status:1")
        worker.start()
        worker.join(timeout=1)
        committed.set()
    worker.join()
    assert seen in ([(False, False)], [(True, True)])


def test_slow_patient_calls_leave_dispatchers_for_urgent_ones(altegio: Sandbox) -> None:
    with ExitStack() as busy:
        for _ in range(PATIENT_DISPATCHERS):
            busy.enter_context(_patient_places)
        queue([new_call(FetchLocations, "patient", application=1, page=1)])
        assert dispatch_due() == 0
        chain = Chain.objects.create(altegio_id=501, crm_token="crm-aurora-7c1e")
        notify_of_call(chain, phone="+447700900123", diversion="+442071838750")
        assert dispatch_due() == 1
    assert [entry.call for entry in altegio.requests()] == ["voip"]
