"""A worker is woken for a queued call once it is committed, and calls others if it needs help."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.connections.models import Application, Connection, Location
from integrations.outbox import dispatcher
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import hurry, new_call, queue, queue_fresh, queue_newest
from integrations.outbox.sweep import expire_late_calls, recover_lost_calls
from integrations.status_sync.status_sync import AskStatus
from sandbox import Sandbox
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db
OnCommit = Callable[..., AbstractContextManager[Any]]
PUT = {
    "queue": lambda: queue([new_call(AskStatus, "a")]),
    "queue_fresh": lambda: queue_fresh([new_call(AskStatus, "a")]),
    "queue_newest": lambda: queue_newest(AskStatus, "a"),
    "hurry": lambda: hurry(OutgoingCall.objects.all()),
}


@pytest.mark.parametrize("put", PUT.values(), ids=PUT)
def test_a_worker_is_woken_when_it_is_committed_and_not_before(
    put: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: OnCommit
) -> None:
    woken: list[str] = []
    monkeypatch.setattr("integrations.outbox.queue.wake", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        put()
        assert woken == []
    assert woken == ["integrations.outbox.tasks.dispatch"]


@pytest.mark.parametrize(("waiting", "calls"), [(1, 0), (2, 1), (3, 2)])
def test_others_are_called_while_more_waits_than_the_call_in_hand(
    altegio: Sandbox, monkeypatch: pytest.MonkeyPatch, waiting: int, calls: int
) -> None:
    carried: list[int] = []
    monkeypatch.setattr(dispatcher, "execute", lambda claim, _slot: carried.append(claim.call.pk))
    queue([new_call(AskStatus, str(number)) for number in range(waiting)])
    called: list[None] = []
    assert dispatcher.dispatch_due(lambda: called.append(None)) == len(carried) == waiting
    assert len(called) == calls
    OutgoingCall.objects.all().delete()


def test_without_a_free_dispatcher_nothing_is_sent() -> None:
    queue([new_call(AskStatus, "a")])
    taken = [dispatcher._places.acquire(blocking=False) for _ in range(dispatcher.MAX_DISPATCHERS)]
    try:
        assert dispatcher.dispatch_due() == 0
    finally:
        for _ in filter(None, taken):
            dispatcher._places.release()
    assert OutgoingCall.objects.get().state == CallState.QUEUED


def test_the_sweep_says_how_many_were_late_and_how_many_lost() -> None:
    assert (expire_late_calls(), recover_lost_calls()) == (0, 0)
    over = timezone.now() - timedelta(seconds=1)
    queue([new_call(AskStatus, key, deadline_at=over) for key in "ab"])
    queue([new_call(AskStatus, "lost")])
    OutgoingCall.objects.filter(key="lost").update(state="sending", lease_until=over)
    assert (expire_late_calls(), recover_lost_calls()) == (2, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone.")
def test_the_sweep_waits_for_nobody_who_holds_a_call() -> None:
    queue([new_call(AskStatus, "lost")])
    OutgoingCall.objects.update(state="sending", lease_until=timezone.now() - timedelta(seconds=1))
    is_held, is_swept = threading.Event(), threading.Event()

    @transaction.atomic
    def hold() -> None:
        list(OutgoingCall.objects.select_for_update())
        is_held.set()
        assert is_swept.wait(20)

    def sweep() -> int:
        assert is_held.wait(20)
        recovered = recover_lost_calls()
        is_swept.set()
        return recovered

    assert at_once(hold, sweep) == [0, None]
    assert recover_lost_calls() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone.")
def test_late_calls_end_behind_any_number_of_held_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.outbox.sweep.BATCH", 2)
    application, now = Application.objects.create(altegio_id=1), timezone.now()
    for number in range(6):
        there = Connection.objects.create(
            application=application,
            location=Location.objects.create(altegio_id=number),
            state="uninstalled",
            claim="u:1",
            arrived_at=now,
            last_arrived_at=now,
            deadline_at=now,
        )
        over = now - timedelta(seconds=60 - number)
        queue([new_call(AskStatus, f"late:{number}", connection_id=there.pk, deadline_at=over)])
    is_held, is_swept = threading.Event(), threading.Event()

    @transaction.atomic
    def hold() -> None:
        list(Connection.objects.filter(location__altegio_id__lt=5).select_for_update(no_key=True))
        is_held.set()
        assert is_swept.wait(20)

    def sweep() -> int:
        assert is_held.wait(20)
        try:
            return expire_late_calls()
        finally:
            is_swept.set()

    assert 1 in at_once(hold, sweep)
    assert OutgoingCall.objects.get(state="expired").key == "late:5"
    assert expire_late_calls() == 5
