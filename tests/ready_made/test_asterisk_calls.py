"""The program on the exchange reads Asterisk's lines and loses none."""

import io
import re
import subprocess
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import ApiKey
from examples import asterisk_calls
from integrations.connections.models import Chain
from integrations.telephony.models import PhoneCall
from sandbox import Sandbox
from tests.not_none import not_none
from tests.ready_made.asterisk import (
    CALLED_OUT,
    CLIENT,
    INSIDE,
    LATER,
    LINE,
    OUTSIDE,
    RANG,
    TALKED,
    line,
    sent,
)
from tests.response import Api
from tests.working import Work

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asterisk.md").read_text(encoding="utf-8")


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


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_a_refusal_of_all_calls_ends_the_run_and_loses_none(
    pbx: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def refuse(_settings: object, _path: str, _calls: object) -> None:
        raise HTTPError("https://portal", status, "No", Message(), io.BytesIO(b'{"detail": "Because."}'))

    pbx.write_text(line(RANG) + line(TALKED))
    monkeypatch.setattr(asterisk_calls, "post", refuse)
    with pytest.raises(SystemExit, match=rf"{status}.*Because"):
        asterisk_calls.main(["send"])
    assert not sent(pbx)


@pytest.fixture
def portal(live_server: LiveServer, telephony: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program send to a portal that knows the location."""
    _key, secret = ApiKey.objects.create_key(name="pbx", scopes=["telephony"])
    monkeypatch.setenv("PORTAL_URL", live_server.url)
    monkeypatch.setenv("PORTAL_KEY", secret)


@pytest.mark.usefixtures("portal")
def test_calls_of_which_the_portal_can_read_none_delay_no_later_ones(
    pbx: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pbx.write_text("".join(line([*row[:2], "s", *row[3:]]) for row in (CALLED_OUT, LATER)))
    asterisk_calls.main(["send"])
    assert sent(pbx) == pbx.stat().st_size
    said = capsys.readouterr().err
    assert re.findall(r"^(\S+): 400 .*phone", said, re.MULTILINE) == ["1763993500.1", "1763993700.1"]


@pytest.mark.usefixtures("portal")
def test_a_location_that_is_no_number_loses_no_call(pbx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_ID", "Aurora")
    pbx.write_text(line(RANG) + line(TALKED))
    with pytest.raises(SystemExit, match=r"SALON_ID Aurora: 400(?s:.*)put SALON_ID right"):
        asterisk_calls.main(["send"])
    assert not sent(pbx)


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"code": 404, "problems": {"detail": "This chain or location is not known here."}}, id="404"),
        pytest.param({"code": 409, "problems": {"detail": "This chain has not connected yet."}}, id="no telephony"),
    ],
)
def test_an_unknown_location_ends_the_run_and_loses_no_call(
    pbx: Path, monkeypatch: pytest.MonkeyPatch, result: dict[str, Any]
) -> None:
    pbx.write_text(line(RANG) + line(TALKED))
    monkeypatch.setattr(asterisk_calls, "post", lambda _settings, _path, calls: [result for _ in calls])
    with pytest.raises(SystemExit, match=r"SALON_ID 10101: 40[49](?s:.*)Nothing was lost: .*put SALON_ID right"):
        asterisk_calls.main(["send"])
    assert not sent(pbx)


def test_a_stored_or_unreadable_call_delays_no_other(
    pbx: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = [{"code": 409, "id": 1, "problems": {"detail": "off"}}, {"code": 400, "problems": {"phone": ["?"]}}]
    pbx.write_text(line(TALKED) + "a carriage\rreturn\n" + line(CALLED_OUT) + line(INSIDE[:4]), newline="")
    monkeypatch.setattr(asterisk_calls, "post", lambda _settings, _path, _calls: results)
    asterisk_calls.main(["send"])
    assert sent(pbx) == pbx.stat().st_size
    said = capsys.readouterr().err
    assert "2 lines have not the 10 columns" in said
    assert re.search(r"1763993400.1234: 409 .*off", said)
    assert re.search(r"1763993500.1: 400 .*phone", said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["send"], "Asterisk has written no call yet", id="no file"),
        pytest.param(["ring", OUTSIDE, LINE, "1"], r"PORTAL_URL is set neither in .*altegio.conf", id="no address"),
        pytest.param(["--help"], "from cron or a timer", id="help"),
    ],
)
def test_an_impossible_command_is_reported(
    pbx: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.delenv("PORTAL_URL", raising=False)
    with pytest.raises(SystemExit, match=said):
        asterisk_calls.main(words)


def test_unreadable_settings_are_reported(pbx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(file: Path) -> str:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(Path, "read_text", forbid)
    with pytest.raises(SystemExit, match=r"altegio.conf cannot be read.* as the user asterisk"):
        asterisk_calls.main(["send"])


def test_the_environment_goes_before_the_file(pbx: Path) -> None:
    given = {"ALTEGIO_CONF": str(pbx.with_name("altegio.conf")), "SALON_ID": "5"}
    settings = asterisk_calls.read_settings(given)
    assert (settings["SALON_ID"], settings["CDR_FILE"]) == ("5", str(pbx))


def test_a_refusal_is_reported_in_the_portals_words(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, pbx: Path
) -> None:
    monkeypatch.setenv("PORTAL_URL", live_server.url)
    monkeypatch.setenv("PORTAL_KEY", "wrong")
    with pytest.raises(SystemExit, match=r"401.*detail"):
        asterisk_calls.main(["ring", OUTSIDE, LINE, "1"])


def of_page(beginning: str) -> str:
    """Return the page's only block that begins like this, without its indentation."""
    [block] = re.findall(rf"^ *```\w+\n( *{re.escape(beginning)}.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    return "".join(f"{each.strip()}\n" for each in block.splitlines())


def test_the_page_leads_from_a_copy_of_the_program_to_a_call_at_the_portal(
    live_server: LiveServer, telephony: Chain, tmp_path: Path
) -> None:
    """Cron and the dialplan have almost no environment, so the file that the page sets up must be enough."""
    _key, secret = ApiKey.objects.create_key(name="pbx", scopes=["telephony"])
    program, conf = tmp_path / "asterisk_calls.py", tmp_path / "altegio.conf"

    def shell(command: str) -> subprocess.CompletedProcess[str]:
        command = command.replace("/usr/local/bin/asterisk_calls.py", str(program))
        command = command.replace("/etc/altegio.conf", str(conf)).replace(" -o asterisk -g asterisk", "")
        environment = {"PATH": "/usr/bin:/bin", "ALTEGIO_CONF": str(conf)}
        return subprocess.run(
            ["/bin/sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )

    assert shell(of_page("install -m 755")).returncode == 0
    assert conf.stat().st_mode & 0o777 == 0o600
    settings = of_page("PORTAL_URL=").replace("https://portal.example.com", live_server.url).replace("…", secret)
    conf.write_text(f"{settings.replace('123', '10101')}CDR_FILE={tmp_path}/Altegio.csv\n")

    calls = tmp_path / "Altegio.csv"
    calls.write_text(line([*CALLED_OUT[:2], CLIENT, *CALLED_OUT[3:]]))
    assert shell(of_page("* * * * *").removeprefix("* * * * *")).stderr == ""
    assert sent(calls) == calls.stat().st_size
    assert PhoneCall.objects.get().call_id == CALLED_OUT[0]

    [system] = re.findall(r"System\((.*) &\)", of_page("exten =>"))
    in_asterisk = {
        "FILTER(0-9+,${CALLERID(num)})": CLIENT,
        "FILTER(0-9+*#,${EXTEN})": "101",
        "CHANNEL(linkedid)": "1.2",
    }
    for function, value in in_asterisk.items():
        system = system.replace(f"${{{function}}}", value)
    assert "$" not in system, "a caller who chooses the number chooses a command"
    assert (shell(system).stderr, shell(system).returncode) == ("", 0)


@pytest.mark.django_db
def test_the_portal_takes_what_the_program_sends(
    pbx: Path,
    api: Api,
    altegio: Sandbox,
    telephony: Chain,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    api("put", "locations/10101/lines/", {"country": "UA", "time_zone": "Europe/Kyiv", "lines": {}})
    monkeypatch.setattr(
        asterisk_calls, "post", lambda _settings, path, body: api("post", f"telephony/{path}/", body).json()
    )
    monkeypatch.setenv("RECORDINGS_URL", "https://pbx.example.com/monitor")
    pbx.write_text(line(RANG) + line(TALKED) + line(CALLED_OUT) + line(INSIDE))
    monkeypatch.setenv("SALON_ID", "424242")
    with pytest.raises(SystemExit, match="404"):
        asterisk_calls.main(["send"])
    monkeypatch.delenv("SALON_ID")
    asterisk_calls.main(["send"])
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
