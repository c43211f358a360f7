#!/usr/bin/env python3
"""Tell the partner portal of the calls of an Asterisk or FreePBX (docs/asterisk.md).

Python 3.10 and nothing else. Asterisk writes a line into a file for each leg of a call; this program sends what it
has not sent yet, and remembers how far it came. What the portal did not take is sent again: it knows calls by id.

    asterisk_calls.py send       from cron or a timer, each minute
    asterisk_calls.py ring NUMBER LINE ID       from the dialplan, when a call comes in

Settings, in the environment: PORTAL_URL, PORTAL_KEY, SALON_ID; CDR_FILE, RECORDINGS_URL.
"""

import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
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
_EXTENSION = re.compile("[0-9]{2,6}")
_CHANNEL = re.compile("[A-Za-z0-9]+/([0-9]{2,6})[-@]")
Call = dict[str, object]


def read_leg(row: list[str], salon_id: str, recordings_url: str = "") -> Call:
    """A call for `POST /api/v1/telephony/calls/`, of a line of the file."""
    leg = dict(zip(COLUMNS, row, strict=True))
    call = _parties(leg)
    call.update(salon_id=salon_id, call_id=leg["linkedid"], status=leg["disposition"], duration=leg["billsec"])
    call.update(date=leg["start"])
    if recordings_url and leg.get("recordingfile"):
        call["link"] = f"{recordings_url.rstrip('/')}/{leg['recordingfile']}"
    return call


def _parties(leg: dict[str, str]) -> Call:
    """Which way it went: who has an extension's number is inside."""
    inside = [bool(_EXTENSION.fullmatch(leg[name])) for name in ("src", "dst")]
    answered = _CHANNEL.match(leg["dstchannel"])
    if inside[0]:
        return {"type": "internal" if inside[1] else "outgoing", "phone": leg["dst"], "diversion": leg["src"]}
    user = {"user": answered[1]} if answered else {}
    return {"type": "incoming", "phone": leg["src"], "diversion": leg["did"] or leg["dst"], **user}


def unsent(file: Path, offset: int) -> Iterator[tuple[list[str], int]]:
    """The whole lines behind `offset`, each with where it ends. A file that was rotated begins anew."""
    with file.open("rb") as lines:
        lines.seek(offset if offset <= file.stat().st_size else 0)
        for line in iter(lines.readline, b""):
            if not line.endswith(b"\n"):
                return
            yield next(csv.reader(io.StringIO(line.decode("utf-8", "replace")))), lines.tell()


def post(path: str, body: object) -> Any:
    """The portal's answer. Raises OSError where it did not take the body."""
    url = os.environ["PORTAL_URL"].rstrip("/") + f"/api/v1/telephony/{path}/"
    headers = {"Authorization": f"Api-Key {os.environ['PORTAL_KEY']}", "Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - the address is the operator's own
    with urlopen(request, timeout=20) as answer:  # noqa: S310 - the address is the operator's own
        return json.load(answer)


def send(file: Path) -> None:
    """Send what has not been sent, in lists; say which calls the portal could not take."""
    mark = file.with_suffix(".sent")
    offset = int(mark.read_text()) if mark.exists() else 0
    rows = list(unsent(file, offset))
    for start in range(0, len(rows), MAX_CALLS):
        some = rows[start : start + MAX_CALLS]
        salon_id, recordings = os.environ["SALON_ID"], os.environ.get("RECORDINGS_URL", "")
        calls = [read_leg(row, salon_id, recordings) for row, _end in some if len(row) == len(COLUMNS)]
        for call, result in zip(calls, post("calls", calls) if calls else [], strict=True):
            if result["code"] >= 300:
                sys.stderr.write(f"{call['call_id']}: {result['code']} {result.get('problems')}\n")
        mark.write_text(str(some[-1][1]))


def main(words: list[str]) -> None:
    """Do what the words say. Raises SystemExit with a sentence where it cannot be done."""
    try:
        if words[:1] == ["ring"] and len(words) == 4:
            phone, line, call_id = words[1:]
            body = {"salon_id": os.environ["SALON_ID"], "phone": phone, "diversion": line, "call_id": call_id}
            post("notifications", body)
        elif words == ["send"]:
            send(Path(os.environ.get("CDR_FILE", "/var/log/asterisk/cdr-custom/Altegio.csv")))
        else:
            sys.exit(__doc__)
    except HTTPError as problem:
        sys.exit(f"The portal did not take it: {problem}: {problem.read(1000).decode('utf-8', 'replace')}")
    except FileNotFoundError as problem:
        sys.exit(f"There is no {problem.filename}: Asterisk has written no call yet, or CDR_FILE names another file.")
    except OSError as problem:
        sys.exit(f"The portal cannot be reached: {problem}")
    except KeyError as problem:
        sys.exit(f"{problem.args[0]} is not set in the environment.")


if __name__ == "__main__":
    main(sys.argv[1:])
