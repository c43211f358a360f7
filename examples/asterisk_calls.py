#!/usr/bin/env python3
"""Tell the partner portal of the calls of an Asterisk or FreePBX (docs/asterisk.md).

Python 3.10 and nothing else. Asterisk writes a line into a file for each leg of a call; this program sends what it
has not sent yet, and remembers how far it came, also in a file that was rotated. What the portal did not take is sent
again: it knows calls by id.

    asterisk_calls.py send       from cron or a timer, each minute
    asterisk_calls.py ring NUMBER LINE ID       from the dialplan, when a call comes in

Settings: PORTAL_URL, PORTAL_KEY, SALON_ID; CDR_FILE, RECORDINGS_URL. They stand as lines NAME=value in
/etc/altegio.conf (ALTEGIO_CONF names another file), or in the environment, which goes before the file.
"""

import csv
import hashlib
import io
import json
import os
import re
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

# The columns of the mapping in docs/asterisk.md.
COLUMNS = (
    "linkedid",
    "src",
    "dst",
    "channel",
    "dstchannel",
    "start",
    "billsec",
    "disposition",
    "did",
    "recordingfile",
)
MAX_CALLS = 200
CONF = "/etc/altegio.conf"
NO_PLACE = (
    "{why}\nNothing was lost: connect this location's telephony, or put SALON_ID right; the next run sends its calls."
)
GONE = "The file that was read last is gone, perhaps with lines that were not sent. All that is there is sent anew.\n"
_EXTENSION = re.compile("[0-9]{2,6}")
_CHANNEL = re.compile("[A-Za-z0-9]+/([0-9]{2,6})[-@]")
# What a rotated file is called behind its own name: .1, -20261124; not .gz, which is no text.
_ROTATED = re.compile("([-.][0-9][-.0-9]*)?")
Call = dict[str, object]
Settings = Mapping[str, str]


def read_settings(environment: Settings) -> Settings:
    """Return the settings: those of the environment, else of the file. Raises OSError if the file cannot be read."""
    file = Path(environment.get("ALTEGIO_CONF", CONF))
    lines = file.read_text().splitlines() if file.exists() else []
    written = [line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#")]
    of_file = {name.strip(): value.strip().strip("\"'") for name, _sign, value in written}
    return ChainMap(dict(environment), of_file)


def read_leg(row: list[str], salon_id: str, recordings_url: str = "") -> Call:
    """Return a line of the file as a call for `POST /api/v1/telephony/calls/`."""
    leg = dict(zip(COLUMNS, row, strict=True))
    call = _parties(leg)
    call.update(salon_id=salon_id, call_id=leg["linkedid"], status=leg["disposition"], duration=leg["billsec"])
    call.update(date=leg["start"])
    if recordings_url and leg.get("recordingfile"):
        call["link"] = f"{recordings_url.rstrip('/')}/{leg['recordingfile']}"
    return call


def _parties(leg: dict[str, str]) -> Call:
    """Return the direction and the parties of a call: a party with an extension's number is inside."""
    inside = [bool(_EXTENSION.fullmatch(leg[name])) for name in ("src", "dst")]
    answered = _CHANNEL.match(leg["dstchannel"])
    if inside[0]:
        return {"type": "internal" if inside[1] else "outgoing", "phone": leg["dst"], "diversion": leg["src"]}
    user = {"user": answered[1]} if answered else {}
    return {"type": "incoming", "phone": leg["src"], "diversion": leg["did"] or leg["dst"], **user}


class Mark(NamedTuple):
    """How far this program came: up to this byte of the file whose first line has this digest."""

    offset: int
    first_line: str  # empty if unknown


def read_mark(marked: Path) -> Mark:
    """Return the mark in the file; the beginning if there is none or it is damaged, since the portal knows calls."""
    try:
        offset, _space, first_line = marked.read_text().partition(" ")
        return Mark(int(offset), first_line)
    except (FileNotFoundError, ValueError):
        return Mark(0, "")


def write_mark(marked: Path, mark: Mark) -> None:
    """Put the mark in the place of the former one, which stays as it is if the disk is full."""
    new = marked.with_suffix(".new")
    new.write_text(f"{mark.offset} {mark.first_line}")
    new.replace(marked)


def unsent(file: Path, mark: Mark) -> Iterator[tuple[list[str], Mark]]:
    """Yield the complete lines behind the mark, each with the mark behind it."""
    for each, offset in _unread(file, mark):
        with each.open("rb") as lines:
            first_line = _digest(lines.readline())
            lines.seek(offset)
            for line in iter(lines.readline, b""):
                if line.endswith(b"\n"):
                    yield _columns(line), Mark(lines.tell(), first_line)


def _unread(file: Path, mark: Mark) -> list[tuple[Path, int]]:
    """Return the files that are not read to the end, oldest first, each with the offset at which to go on.

    The marked file may have been rotated since, under another name or as a copy: it is known by its first line.
    """
    if not mark.first_line:
        return [(file, mark.offset if mark.offset <= file.stat().st_size else 0)]
    of_name = [each for each in file.parent.iterdir() if each.name.startswith(file.name) and each.stat().st_size]
    files = [each for each in of_name if _ROTATED.fullmatch(each.name, len(file.name))]
    files.sort(key=lambda each: (each == file, each.stat().st_mtime))
    for number in reversed(range(len(files))):
        if _is_marked(files[number], mark):
            return [(files[number], mark.offset), *((newer, 0) for newer in files[number + 1 :])]
    if files:
        sys.stderr.write(GONE)
    return [(each, 0) for each in files or [file]]


def _is_marked(file: Path, mark: Mark) -> bool:
    """Return whether this is the marked file."""
    with file.open("rb") as lines:
        return file.stat().st_size >= mark.offset and _digest(lines.readline()) == mark.first_line


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _columns(line: bytes) -> list[str]:
    """Return the columns of a line; none if it cannot be read."""
    try:
        return next(csv.reader(io.StringIO(line.decode("utf-8", "replace"))))
    except csv.Error:
        return []


def post(settings: Settings, path: str, body: object) -> Any:
    """Post a body and return the portal's answer. Raises OSError if the portal did not accept the body."""
    url = settings["PORTAL_URL"].rstrip("/") + f"/api/v1/telephony/{path}/"
    headers = {"Authorization": f"Api-Key {settings['PORTAL_KEY']}", "Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - the address is the operator's own
    with urlopen(request, timeout=20) as answer:  # noqa: S310 - the address is the operator's own
        return json.load(answer)


def send(settings: Settings) -> None:
    """Send what has not been sent, in lists; report the calls that the portal could not take."""
    file = Path(settings.get("CDR_FILE", "/var/log/asterisk/cdr-custom/Altegio.csv"))
    marked = file.with_suffix(".sent")
    rows = list(unsent(file, read_mark(marked)))
    for start in range(0, len(rows), MAX_CALLS):
        some = rows[start : start + MAX_CALLS]
        _send_list(settings, [row for row, _mark in some])
        write_mark(marked, some[-1][1])


def _send_list(settings: Settings, rows: list[list[str]]) -> None:
    """Send a list of calls. Raises SystemExit if the portal keeps none, because it does not know whose they are."""
    salon_id, recordings = settings["SALON_ID"], settings.get("RECORDINGS_URL", "")
    legs = [row for row in rows if len(row) == len(COLUMNS)]
    if odd := len(rows) - len(legs):
        sys.stderr.write(f"{odd} lines have not the {len(COLUMNS)} columns of the mapping; they are left out.\n")
    calls = [read_leg(leg, salon_id, recordings) for leg in legs]
    for call, result in zip(calls, _post_calls(settings, calls) if calls else [], strict=True):
        code, problems = result["code"], result.get("problems") or {}
        # A call that the portal has kept has an id, even if it is not forwarded. One that it cannot read is never
        # accepted.
        if (code in (404, 409) and "id" not in result) or "salon_id" in problems:
            sys.exit(NO_PLACE.format(why=f"SALON_ID {salon_id}: {code} {problems}"))
        if code >= 300:
            sys.stderr.write(f"{call['call_id']}: {code} {problems}\n")


def _post_calls(settings: Settings, calls: list[Call]) -> Any:
    """Post a list of calls and return a result for each. Raises OSError if the portal did not accept the list."""
    try:
        return post(settings, "calls", calls)
    except HTTPError as refusal:
        said = refusal.read()
        try:
            # Where it can read no call of a list, the portal answers 400 with the problems of each by its place.
            problems = json.loads(said)
            return [{"code": refusal.code, "problems": problems[str(place)]} for place in range(len(calls))]
        except (ValueError, KeyError, TypeError):  # it is about the list as a whole
            raise HTTPError(refusal.filename, refusal.code, refusal.msg, refusal.hdrs, io.BytesIO(said)) from None


def ring(settings: Settings, phone: str, line: str, call_id: str) -> None:
    """Report a call that comes in now."""
    body = {"salon_id": settings["SALON_ID"], "phone": phone, "diversion": line, "call_id": call_id}
    post(settings, "notifications", body)


def main(words: list[str]) -> None:
    """Run the command that the words are. Raises SystemExit with a message if that is impossible."""
    conf = os.environ.get("ALTEGIO_CONF", CONF)
    try:
        settings = read_settings(os.environ)
        if words[:1] == ["ring"] and len(words) == 4:
            ring(settings, *words[1:])
        elif words == ["send"]:
            send(settings)
        else:
            sys.exit(__doc__)
    except HTTPError as problem:
        sys.exit(f"The portal did not take it: {problem}: {problem.read(1000).decode('utf-8', 'replace')}")
    except FileNotFoundError as problem:
        sys.exit(f"There is no {problem.filename}: Asterisk has written no call yet, or CDR_FILE names another file.")
    except PermissionError as problem:
        sys.exit(f"{problem.filename} cannot be read or written by this user: run it as the user asterisk.")
    except OSError as problem:
        sys.exit(f"The portal cannot be reached, or the disk is full: {problem}")
    except KeyError as problem:
        sys.exit(f"{problem.args[0]} is set neither in {conf} nor in the environment.")


if __name__ == "__main__":
    main(sys.argv[1:])
