"""Questions about a connection survive a portal clock that is set back and may order changes wrongly."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection, State
from integrations.connections.transitions import move
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.integrations.interrupting import while_altegio_answers
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected_ahead(connected: Connection) -> Connection:
    """Return a connection whose changes are dated a minute ahead, because the clock was set back since."""
    for change in connected.changes.all():
        change.at += timedelta(minutes=1)
        change.save()
    return connected


def test_an_answer_is_believed_though_changes_are_dated_in_the_future(
    altegio: Sandbox, connected_ahead: Connection, work: Work
) -> None:
    altegio.configure(callbacks_enabled=False)
    altegio.uninstall(connected_ahead.location.altegio_id)
    asked = len(altegio.requests("status"))
    ask_status(connected_ahead)
    work()
    connected_ahead.refresh_from_db()
    assert connected_ahead.state == State.UNINSTALLED
    assert len(altegio.requests("status")) == asked + 1


def test_a_change_by_a_worker_whose_clock_is_ahead_is_after_the_question(
    altegio: Sandbox, connected: Connection, work: Work
) -> None:
    altegio.configure(callbacks_enabled=False)
    ask_status(connected)

    def end_on_another_host() -> None:
        altegio.uninstall(connected.location.altegio_id)
        with time_machine.travel(timezone.now() + timedelta(seconds=2)):
            move(connected, State.UNINSTALLED, "The owner disconnects.", ended_at=timezone.now())

    with while_altegio_answers("", end_on_another_host):
        work()
    connected.refresh_from_db()
    assert connected.state == State.UNINSTALLED


def test_an_answer_during_which_the_clock_was_set_back_is_asked_again(
    altegio: Sandbox, connected: Connection, work: Work
) -> None:
    """The connection ends after Altegio has answered, but before that by the clock."""
    start = timezone.now()
    altegio.configure(callbacks_enabled=False)
    ask_status(connected)
    with time_machine.travel(start + timedelta(seconds=30)) as traveller:

        def end_earlier() -> None:
            traveller.move_to(start + timedelta(seconds=5))
            altegio.uninstall(connected.location.altegio_id)
            move(connected, State.UNINSTALLED, "The owner disconnects.", ended_at=timezone.now())

        with while_altegio_answers("", end_earlier):
            work()
    connected.refresh_from_db()
    assert connected.state == State.UNINSTALLED


def test_an_activation_dated_in_the_future_is_asked_about_before_it_is_sent(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        arrive(client, altegio, AURORA_1)
    OutgoingCall.objects.update(due_at=timezone.now())
    work(rounds=1)
    assert [call.method for call in altegio.requests("status")] == ["GET"]
