"""Questions about a connection: which goes first, and how often they are asked."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.outbox.claim import claim_next
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.marketplace import arrive
from tests.not_none import not_none

pytestmark = pytest.mark.django_db


def test_a_question_does_not_wait_for_a_patient_one(connected: Connection) -> None:
    ask_status(connected, patient=True)
    ask_status(connected)
    assert not_none(claim_next()).call.kind == "ask_status"


def test_an_owner_who_comes_back_again_and_again_asks_once_a_minute(
    client: Client, altegio: Sandbox, connected: Connection, work: Callable[..., None]
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


def test_what_is_told_is_asked_about_at_once_though_the_owner_has_just_come_back(
    client: Client, altegio: Sandbox, connected: Connection, work: Callable[..., None]
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        for _ in range(2):
            arrive(client, altegio, 10101)
            work(rounds=1)
        before = len(altegio.requests("status"))
        ask_status(connected)
        work(rounds=1)
        assert len(altegio.requests("status")) == before + 1
