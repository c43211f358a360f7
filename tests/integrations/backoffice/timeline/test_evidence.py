"""The evidence behind a line of the timeline is folded, readable and without secrets."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from integrations.backoffice.timeline.entries import timeline
from integrations.backoffice.timeline.evidence import MAX_LENGTH, shown
from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.callbacks import send_callback
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_json_is_indented_and_masked() -> None:
    assert shown("sent", '{"salon_id":1,"api_key":"hidden-word"}').text == (
        '{\n  "salon_id": 1,\n  "api_key": "•••"\n}'
    )


@pytest.mark.parametrize("text", ["", "<html>", "{", "[" * 100_000])
def test_text_that_is_not_json_stays_as_it_is(text: str) -> None:
    assert shown("answer", text).text.startswith(text[:MAX_LENGTH])


def test_half_an_emoji_in_an_answer_is_replaced() -> None:
    """No page could be encoded with half an emoji."""
    assert shown("answer", r'{"message": "No \ud83d."}').text == '{\n  "message": "No \ufffd."\n}'


def test_numbers_stay_as_they_came() -> None:
    assert "1.10" in shown("sent", '{"payment_sum": 1.10}').text


def test_long_evidence_is_cut() -> None:
    assert len(shown("answer", "x" * 100_000).text) < MAX_LENGTH + 100


def test_a_call_and_a_callback_show_their_content(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    altegio.uninstall(AURORA_1)
    send_callback(client)
    work()
    behind = {(entry.kind, piece.label): piece.text for entry in timeline(connected) for piece in entry.evidence}
    assert f'"salon_id": {AURORA_1}' in behind["callback", "as it came"]
    status_call = f"GET {altegio.app_url}/marketplace/salon/{AURORA_1}/application/1"
    assert behind["attempt", "address"] == status_call
    assert behind["attempt", "answer"].startswith("{\n")

    staff = Client()
    staff.force_login(User.objects.create_superuser("anna@partner.example"))
    page = staff.get(reverse("admin:connections_connection_change", args=[connected.pk])).content.decode()
    assert '<details class="evidence">' in page


def test_arrivals_that_came_to_nothing_are_shown(client: Client, altegio: Sandbox, connected: Connection) -> None:
    arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().get(f"/connect/?salon_id={AURORA_1}&salon_id=x")
    titles = [entry.title for entry in timeline(connected)]
    assert titles.count("An arrival that nobody has finished") == 1
    assert titles.count("An arrival was refused") == 1
