"""The record of a call's exchanges is what Altegio's support gets."""

import pytest
from django.test import Client

from integrations.outbox.call_kinds import kind_title
from integrations.outbox.exchange import exchange_text
from integrations.outbox.models import Attempt, OutgoingCall
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client: Client, altegio: Sandbox) -> OutgoingCall:
    arrive(client, altegio, AURORA_1)
    return OutgoingCall.objects.get(kind="activate")


def test_the_record_holds_the_request_and_the_answer(call: OutgoingCall, work: Work) -> None:
    work()
    attempt = Attempt.objects.get(call=call)
    assert attempt.finished_at is not None
    head, _, answer = exchange_text(call).partition("\n\nHTTP ")
    lines = head.splitlines()
    assert lines[0].startswith(f"--- sent at {attempt.started_at:%Y-%m-%d %H:%M:%S} UTC, 0.")
    assert lines[1] == f"POST {attempt.url}"
    assert lines[-1] == attempt.request_body != ""
    assert answer == f"{attempt.status_code}\n\n{attempt.response_body}"


@pytest.mark.parametrize(("message", "said"), [("The line was cut.", "The line was cut."), ("", "No answer yet")])
def test_an_attempt_without_an_answer_says_so(call: OutgoingCall, message: str, said: str) -> None:
    Attempt.objects.create(
        call=call, number=1, purpose="ask", method="GET", url="https://a.example/", message=message
    )
    text = exchange_text(call)
    assert text.startswith("--- asked at ")
    assert "not ended" in text
    assert text.endswith(f"\n\n{said}")
    assert "Content-Type" not in text


def test_the_record_is_empty_before_anything_was_sent(call: OutgoingCall) -> None:
    assert exchange_text(call) == "Nothing has been sent yet."


def test_a_kind_without_code_is_shown_by_its_bare_name() -> None:
    assert [str(kind_title(name)) for name in ("activate", "gone")] == ["Activation", "gone"]
