"""On Altegio's worst days, each a switch of the sandbox, the affected call ends rightly and all others go on."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.backoffice.health import _answers
from integrations.connections.models import Connection
from integrations.outbox.claim import claim_next, held_slots, lease_length
from integrations.outbox.dispatcher import PATIENT_DISPATCHERS
from integrations.outbox.models import OutgoingCall
from sandbox import Sandbox
from sandbox.pages.faults import BAD_DAYS
from tests.marketplace import AURORA_1, AURORA_2, MEDVED_1, arrive
from tests.unkind_server import at_most
from tests.working import Work

pytestmark = pytest.mark.django_db

DONE_AFTER_ALL = [
    *("trickle_head_after", "trickle_body_after", "early_hints_after", "endless_100_after", "leftover_after"),
    *("late_close_after", "broken_location_after", "large_redirect_after", "bad_text_after", "bad_number_after"),
]


@pytest.mark.parametrize("kind", DONE_AFTER_ALL)
def test_an_activation_is_sent_once_and_the_next_one_is_its_own(
    client: Client, altegio: Sandbox, work: Work, settings: Settings, kind: str
) -> None:
    settings.ALTEGIO_TIMEOUT_SECONDS = 0.6
    altegio.fault(kind, "activate", location_id=AURORA_1)
    arrive(client, altegio, [AURORA_1, AURORA_2, MEDVED_1])
    with at_most(15):
        work()
    assert set(Connection.objects.values_list("state", flat=True)) == {"active"}
    for location in (AURORA_1, AURORA_2, MEDVED_1):
        assert len(altegio.requests("activate", location)) == 1


def test_a_refusal_in_words_that_nobody_can_store_is_final(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.fault("bad_refusal", "activate", location_id=AURORA_1, remaining=None)
    arrive(client, altegio, [AURORA_1, MEDVED_1])
    work()
    assert len(altegio.requests("activate", AURORA_1)) == 1
    states = dict(Connection.objects.values_list("location__altegio_id", "state"))
    assert states == {AURORA_1: "failed", MEDVED_1: "active"}
    assert "�" in OutgoingCall.objects.get(state="refused").reason


@pytest.mark.parametrize("kind", ["trickle_head_after", "trickle_body_after", "endless_100_after"])
def test_no_answer_holds_a_thread_beyond_its_end(
    client: Client, altegio: Sandbox, work: Work, settings: Settings, kind: str
) -> None:
    settings.ALTEGIO_TIMEOUT_SECONDS = 0.5
    altegio.fault(kind, "activate", remaining=None)
    arrive(client, altegio, AURORA_1)
    with at_most(3):
        work(rounds=1)
    assert OutgoingCall.objects.get(kind="activate").state == "unconfirmed"


def test_every_kind_of_fault_stands_on_the_control_page() -> None:
    offered = {day.kind for day in BAD_DAYS}
    assert offered >= {*DONE_AFTER_ALL, "bad_refusal"}


def test_dispatchers_that_wait_for_answers_are_reported(client: Client, altegio: Sandbox, settings: Settings) -> None:
    settings.ALTEGIO_TIMEOUT_SECONDS = 10
    _chain, places = altegio.add_chain(PATIENT_DISPATCHERS + 1)
    arrive(client, altegio, places)
    while claim_next():
        pass
    assert (held_slots(timezone.now()), _answers()) == (0, "")
    OutgoingCall.objects.update(lease_until=timezone.now() + lease_length() - timedelta(seconds=6))
    assert held_slots(timezone.now()) == PATIENT_DISPATCHERS + 1
    assert _answers().startswith(f"{PATIENT_DISPATCHERS + 1} calls wait for answers")
