"""Questions about a connection go in the right order and often enough."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from integrations.activation.staff import ask_altegio
from integrations.connections.models import Connection
from integrations.outbox.claim import claim_next
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.marketplace import arrive
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_a_question_does_not_wait_for_a_patient_one(connected: Connection) -> None:
    ask_status(connected, patient=True)
    ask_status(connected)
    assert not_none(claim_next()).call.kind == "ask_status"


def test_an_owner_who_comes_back_again_and_again_asks_once_a_minute(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    before = len(altegio.requests("status"))
    with time_machine.travel(timezone.now() + timedelta(minutes=10)) as clock:
        for _ in range(3):
            arrive(client, altegio, 10101)
            work(rounds=1)
        assert len(altegio.requests("status")) == before + 1

        clock.shift(timedelta(minutes=1))
        work(rounds=1)
        assert len(altegio.requests("status")) == before + 2, "what may have changed since is asked about"


def test_a_callback_is_asked_about_at_once_though_the_owner_has_just_returned(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        for _ in range(2):
            arrive(client, altegio, 10101)
            work(rounds=1)
        before = len(altegio.requests("status"))
        ask_status(connected)
        work(rounds=1)
        assert len(altegio.requests("status")) == before + 1


def rests(question: OutgoingCall) -> float:
    """Return the seconds until the question is asked again."""
    question.refresh_from_db()
    return (question.due_at - timezone.now()).total_seconds()


@pytest.fixture
def refused(altegio: Sandbox, connected: Connection, work: Work) -> OutgoingCall:
    """Return a question that Altegio has just refused, after an hour of giving no answers."""
    ask_status(connected)
    OutgoingCall.objects.filter(kind="ask_status", state="queued").update(setbacks=6)
    altegio.fault("error", "status", status=403)
    work(rounds=1)
    question: OutgoingCall = connected.calls.get(kind="ask_status", state="queued")
    return question


def test_the_first_refusal_rests_five_minutes_whatever_failed_before(refused: OutgoingCall) -> None:
    assert 290 < rests(refused) <= 301


def test_an_event_brings_a_refused_question_forward(connected: Connection, refused: OutgoingCall) -> None:
    OutgoingCall.objects.filter(pk=refused.pk).update(due_at=timezone.now() + timedelta(minutes=50))
    ask_status(connected)
    assert 290 < rests(refused) <= 301


def test_staff_who_ask_wait_for_no_refusal(connected: Connection, refused: OutgoingCall) -> None:
    ask_altegio(connected.pk)
    assert rests(refused) <= 0


def test_a_pause_that_altegio_asked_for_is_not_shortened(connected: Connection) -> None:
    ask_status(connected, delay=3000)
    ask_status(connected)
    assert rests(connected.calls.get(kind="ask_status", state="queued")) > 2900
