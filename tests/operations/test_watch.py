"""A row that nothing waits for is found, mended and told; the page of states names every check."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from billing.models import Payment
from integrations.alerts.models import Alert
from integrations.connections.models import Connection
from integrations.lifecycle.models import Callback
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.status_sync import ask_status
from partner_portal.core.watch import CHECKS, found, heal_stranded
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive

pytestmark = pytest.mark.django_db
PAGE = (Path(__file__).parent.parent.parent / "docs/architecture.md").read_text()


def stranded() -> set[str]:
    return {name for name, count in found().items() if count}


def test_the_page_names_every_check() -> None:
    section = PAGE.partition("## Nothing rests unseen")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == {check.name for check in CHECKS}


def test_a_claim_without_its_call_gets_one(client: Client, altegio: Sandbox, work: Callable[..., None]) -> None:
    arrive(client, altegio, AURORA_1)
    assert stranded() == set()
    OutgoingCall.objects.all().delete()
    assert stranded() == {"connection: undecided"}
    heal_stranded()
    assert stranded() == set()
    assert Alert.objects.get(kind="watch").key == "watch:connection: undecided"
    work()
    assert Connection.objects.get().state == "active"


def test_a_call_in_nobodys_hands_is_taken_back(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    OutgoingCall.objects.update(state="sending", lease_until=None)
    assert stranded() == {"outgoing call"}
    heal_stranded()
    assert OutgoingCall.objects.get().state == "unconfirmed"


@pytest.fixture
def asked_about(client: Client, altegio: Sandbox, work: Callable[..., None]) -> Connection:
    """A connection with a callback that waits for what Altegio says, and no question on its way."""
    arrive(client, altegio, AURORA_1)
    work()
    connection: Connection = Connection.objects.get()
    Callback.objects.create(
        event="freeze", salon_id=AURORA_1, application_altegio_id=1, body="{}", state="asked", connection=connection
    )
    return connection


def test_a_callback_whose_question_is_lost_is_asked_again(asked_about: Connection, work: Callable[..., None]) -> None:
    assert stranded() == {"callback: asked"}
    heal_stranded()
    assert stranded() == set()
    work()
    assert Callback.objects.get().state == "contradicted"


def test_a_question_that_altegio_refuses_goes_on_and_troubles_nobody(
    altegio: Sandbox, asked_about: Connection, work: Callable[..., None]
) -> None:
    ask_status(asked_about)
    altegio.fault("error", "status", status=403, body={"success": False, "meta": {"message": "Not yours"}})
    dispatch_due()
    assert stranded() == set()
    question = OutgoingCall.objects.get(kind="ask_status")
    assert (question.state, question.reason) == ("queued", "Not yours")

    work()
    assert Callback.objects.get().state == "contradicted"


def test_a_payment_without_its_call_is_reported_once(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    connection = Connection.objects.get()
    day = connection.arrived_at.replace(microsecond=0)
    Payment.objects.create(
        source="admin",
        connection=connection,
        application=connection.application,
        location=connection.location,
        amount=5,
        currency="EUR",
        paid_at=day,
        period_from=day,
        period_to=day,
        report_round=1,
    )
    assert stranded() == {"payment: queued"}
    heal_stranded()
    assert stranded() == set()
    work()
    assert Payment.objects.get().status == "reported"
