"""How fast events and callbacks are taken in, beside a bare Django view on the same gunicorn.

    DATABASE_URL=postgres://… python -m bench.callbacks [--seconds 8] [--rounds 3]

The bare view has no middleware and does one INSERT of the same size. Rounds alternate, so that what else
the machine does falls on all of them; the ratio is of the medians. Every 200 is counted in the database
afterwards: none may be lost. Prints JSON.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

KEY = "bench-key-that-nobody-could-guess-0123456789"
TOKEN = "bench-token"
SALON = 10101
EVENT = {
    "company_id": SALON,
    "resource": "record",
    "resource_id": 7,
    "status": "update",
    "data": {
        "id": 7,
        "date": "2026-03-01 12:00:00",
        "client": {"name": "Anna", "phone": "+15550100"},
        "x": "y" * 300,
    },
}
CALLBACK = {"salon_id": SALON, "application_id": 1, "event": "surprise", "partner_token": TOKEN}
HERE = Path(__file__).parent.parent
LUA = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{body}]]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("Install wrk: a client written in Python would be slower than what it measures.")
    prepare()
    targets: dict[str, tuple[str, Any, str]] = {
        "bare": ("bench.bare:application", EVENT, "/bare/"),
        "event": ("partner_portal.wsgi", EVENT, f"/altegio/events/{KEY}/"),
        "callback": ("partner_portal.wsgi", CALLBACK, "/altegio/callback/"),
    }
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in targets}
    before = stored()
    for _ in range(given.rounds):
        for name, (module, body, path) in targets.items():
            with Server(module) as server:
                rounds[name].append(measure(server.url + path, body, given.seconds, given.connections))
    after = stored()
    print(json.dumps(report(rounds, before, after), indent=2))


def report(rounds: dict[str, list[dict[str, float]]], before: dict[str, int], after: dict[str, int]) -> Any:
    """Medians, ratios to the bare view, and what was answered 200 and is not stored."""
    rate = {name: statistics.median(one["per_second"] for one in runs) for name, runs in rounds.items()}
    answered = {name: int(sum(one["answered"] for one in runs)) for name, runs in rounds.items()}
    return {
        "per_second": rate,
        "p99_ms": {name: statistics.median(one["p99_ms"] for one in runs) for name, runs in rounds.items()},
        "ratio_to_bare": {name: round(rate[name] / rate["bare"], 3) for name in rate},
        "answered_200": answered,
        "stored": {name: after[name] - before[name] for name in after},
        "errors": {name: int(sum(one["errors"] for one in runs)) for name, runs in rounds.items()},
        "database": os.environ.get("DATABASE_URL", "sqlite").split(":")[0],
    }


def measure(url: str, body: Any, seconds: int, connections: int) -> dict[str, float]:
    """One run of wrk."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA.format(body=json.dumps(body)))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script.name, url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return {
        "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)),
        "p99_ms": float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit],
        "answered": float(re.search(r"(\d+) requests in", said).group(1)) - (int(errors.group(1)) if errors else 0),
        "errors": float(errors.group(1)) if errors else 0.0,
    }


class Server:
    """gunicorn as in production, on a free port."""

    def __init__(self, module: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "gunicorn", module, "--config", "gunicorn.conf.py", "--log-level", "error"]
        self._environ = {**os.environ, "BIND": f"127.0.0.1:{port}"}
        self._process = subprocess.Popen(command, env=self._environ, cwd=HERE, stderr=subprocess.DEVNULL)

    def __enter__(self) -> "Server":
        for _ in range(100):
            try:
                urlopen(self.url, timeout=2)
            except HTTPError:
                break
            except OSError:
                time.sleep(0.1)
            else:
                break
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)


def prepare() -> None:
    """Settings, tables, and one connection's key."""
    os.environ["ALTEGIO_PARTNER_TOKEN"] = TOKEN
    os.environ["LOG_LEVEL"] = "WARNING"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from bench.bare import TABLE
    from integrations.models import Application, ConnectionKeys, Location
    from partner_portal.encryption import lookup_hash

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(TABLE[connection.vendor])
    application, _made = Application.objects.get_or_create(altegio_id=1)
    location, _made = Location.objects.get_or_create(altegio_id=SALON)
    keys = ConnectionKeys.fresh(application, location)
    keys.events_key, keys.events_key_hash = KEY, lookup_hash(KEY)
    if not ConnectionKeys.objects.filter(events_key_hash=keys.events_key_hash).exists():
        ConnectionKeys.objects.filter(application=application, location=location).delete()
        keys.save()


def stored() -> dict[str, int]:
    """How many rows there are."""
    from django.db import connection

    from integrations.models import Callback, Event

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench_bare")
        bare = cursor.fetchone()[0]
    return {"bare": bare, "event": Event.objects.count(), "callback": Callback.objects.count()}


if __name__ == "__main__":
    main()
