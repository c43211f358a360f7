"""The moderators' five checks, rehearsed on the sandbox; somebody presses Connect when it is asked for."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(altegio: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Presses Connect whenever the location is not connected."""
    monkeypatch.setattr("billing.rehearsal.POLL", 0.05)
    ended = threading.Event()

    def press() -> None:
        while not ended.wait(0.05):
            if altegio.status_of(AURORA_1) not in ("pending", "active", "freezed"):
                altegio.grant(AURORA_1)

    thread = threading.Thread(target=press)
    thread.start()
    yield
    ended.set()
    thread.join()


def rehearse(capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    call_command("rehearse_moderation", salon_id=str(AURORA_1), **options)
    return capsys.readouterr().out


def test_the_five_checks_hold_and_the_location_is_left_clean(
    altegio: Sandbox, owner: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    report = rehearse(capsys)
    assert report.count("✓") == 5
    assert "✗" not in report
    assert not Connection.objects.filter(state__in=("active", "frozen")).exists()


def test_the_instruction_texts_have_the_length_altegio_takes(
    altegio: Sandbox, owner: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    report = rehearse(capsys)
    texts = report.split("(for the submission):\n")[1:]
    assert len(texts) == 2
    assert all(3 <= len(text.split("\n\n")[0]) <= 1000 for text in texts)


def test_it_says_where_to_press_connect_and_stops_waiting(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.rehearsal.POLL", 0.05)
    report = rehearse(capsys, wait=0.1)
    assert f"{altegio.app_url}/appstore/{AURORA_1}/applications/1/info" in report
    assert "Not all checks could be shown" in report


def test_it_touches_no_location_that_somebody_uses(
    client: Client, altegio: Sandbox, work: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    with pytest.raises(CommandError):
        rehearse(capsys)
    assert Connection.objects.get().state == "active"
