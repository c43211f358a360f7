"""The program on the exchange: what it reads of Asterisk's lines, and that it loses none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from examples import asterisk_calls
from integrations.connections.models import Chain
from integrations.telephony.models import PhoneCall
from sandbox import Sandbox
from tests.not_none import not_none
from tests.response import Api

OUTSIDE, LINE = "0671234567", "0445370000"
AT, TRUNK = "2026-11-24 14:10:00", "PJSIP/trunk-0000a1b1"
RANG = ["1763993400.1234", OUTSIDE, "600", TRUNK, "PJSIP/101-0000a1b2", AT, "0", "NO ANSWER", LINE, ""]
TALKED = ["1763993400.1234", OUTSIDE, "600", TRUNK, "PJSIP/102-0000a1b3", AT, "65", "ANSWERED", LINE, "102.wav"]
CALLED_OUT = ["1763993500.1", "101", OUTSIDE, "PJSIP/101-0000a1b4", TRUNK, AT, "5", "ANSWERED", "", ""]
INSIDE = ["1763993600.1", "101", "102", "SIP/101-1", "SIP/102-2", "2026-11-24 15:00:00", "5", "BUSY", "", ""]


def line(row: list[str]) -> str:
    return ",".join(f'"{value}"' for value in row) + "\n"


@pytest.mark.parametrize(
    ("row", "kind", "phone", "diversion", "user"),
    [
        pytest.param(TALKED, "incoming", OUTSIDE, LINE, "102", id="a queue"),
        pytest.param(CALLED_OUT, "outgoing", OUTSIDE, "101", None, id="outgoing"),
        pytest.param(INSIDE, "internal", "102", "101", None, id="internal"),
        pytest.param([*RANG[:8], "", ""], "incoming", OUTSIDE, "600", "101", id="no did"),
    ],
)
def test_a_line_is_read(row: list[str], kind: str, phone: str, diversion: str, user: str | None) -> None:
    call = asterisk_calls.read_leg(row, "10101")
    assert (call["type"], call["phone"], call["diversion"], call.get("user")) == (kind, phone, diversion, user)


@pytest.fixture
def pbx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The file of an exchange; what is posted goes to `posted` as long as the portal is there."""
    monkeypatch.setenv("SALON_ID", "10101")
    return tmp_path / "Altegio.csv"


def test_each_line_is_sent_once_and_what_was_not_taken_again(pbx: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[Any] = []

    def take(_path: str, calls: list[Any]) -> list[Any]:
        posted.append(calls)
        return [{"code": 202} for _ in calls]

    monkeypatch.setattr(asterisk_calls, "post", take)
    pbx.write_text(line(RANG) + line(TALKED) + line(CALLED_OUT)[:20])
    asterisk_calls.send(pbx)
    asterisk_calls.send(pbx)
    assert [len(calls) for calls in posted] == [2]

    def away(_path: str, _calls: object) -> None:
        raise OSError("The portal is away.")

    pbx.write_text(line(RANG) + line(TALKED) + line(CALLED_OUT))
    monkeypatch.setattr(asterisk_calls, "post", away)
    with pytest.raises(OSError, match="away"):
        asterisk_calls.send(pbx)
    monkeypatch.setattr(asterisk_calls, "post", take)
    asterisk_calls.send(pbx)
    assert [call["call_id"] for call in posted[-1]] == ["1763993500.1"]

    pbx.write_text(line(INSIDE))  # rotated
    asterisk_calls.send(pbx)
    assert [call["call_id"] for call in posted[-1]] == ["1763993600.1"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["send"], "Asterisk has written no call yet", id="no file"),
        pytest.param(["ring", OUTSIDE, LINE, "1"], "PORTAL_URL is not set", id="no address"),
        pytest.param(["--help"], "from cron or a timer", id="help"),
    ],
)
def test_what_cannot_be_done_is_said(pbx: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str) -> None:
    monkeypatch.setenv("CDR_FILE", str(pbx))
    monkeypatch.delenv("PORTAL_URL", raising=False)
    with pytest.raises(SystemExit, match=said):
        asterisk_calls.main(words)


def test_a_refusal_is_told_in_the_portals_words(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, pbx: Path
) -> None:
    monkeypatch.setenv("PORTAL_URL", live_server.url)
    monkeypatch.setenv("PORTAL_KEY", "wrong")
    with pytest.raises(SystemExit, match=r"401.*detail"):
        asterisk_calls.main(["ring", OUTSIDE, LINE, "1"])


@pytest.mark.django_db
def test_the_portal_takes_what_the_program_sends(
    pbx: Any,
    api: Api,
    altegio: Sandbox,
    telephony: Chain,
    work: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    api("put", "locations/10101/lines/", {"country": "UA", "time_zone": "Europe/Kyiv", "lines": {}})
    monkeypatch.setattr(asterisk_calls, "post", lambda path, body: api("post", f"telephony/{path}/", body).json())
    monkeypatch.setenv("RECORDINGS_URL", "https://pbx.example.com/monitor")
    pbx.write_text(line(RANG) + line(TALKED) + line(CALLED_OUT) + line(INSIDE))
    asterisk_calls.send(pbx)
    asterisk_calls.main(["ring", OUTSIDE, LINE, "1763993700.1"])
    work()
    assert capsys.readouterr().err == ""
    saved = {call.call_id: call for call in PhoneCall.objects.all()}
    assert {call.state for call in saved.values()} == {"saved"}
    answered = saved["1763993400.1234"]
    assert (answered.status, answered.user, answered.duration) == ("success", "102", 65)
    assert answered.link.endswith("/102.wav")
    assert (answered.phone, answered.diversion) == ("+380671234567", "+380445370000")
    assert not_none(answered.date).isoformat() == "2026-11-24T12:10:00+00:00"
    assert [entry["phone"] for entry in altegio.telephony() if entry["command"] == "event"] == ["+380671234567"]
