"""Questions about a connection: which goes first."""

import pytest

from integrations.connections.models import Connection
from integrations.outbox.claim import claim_next
from integrations.status_sync.status_sync import ask_status
from tests.not_none import not_none

pytestmark = pytest.mark.django_db


def test_a_question_does_not_wait_for_a_patient_one(connected: Connection) -> None:
    ask_status(connected, patient=True)
    ask_status(connected)
    assert not_none(claim_next()).call.kind == "ask_status"
