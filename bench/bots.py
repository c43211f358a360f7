"""The cost of a bot for an honest owner: real time, a real sandbox, the portal's own web and worker code.

A bot that has proven nothing visits twice with thousands of made-up locations each, among them one that is live. Then
owners come, signed, with one location each, and the owner of the live location pays and disconnects.

[DATABASE_URL=postgres://…/bench] python -m bench.bots [--ids 5000] [--per-minute 200] [--seconds 75]
"""

import argparse
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox import Sandbox

if TYPE_CHECKING:
    from django.test import Client

TOKEN = "bench"
EMMA = 9001
MAX_SECONDS = 5.0
WORKERS = 6
PASSWORD = "a long bench password"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--ids", type=int, default=5000, help="in each of the bot's two visits")
    arguments.add_argument("--per-minute", type=int, default=200)
    arguments.add_argument("--seconds", type=float, default=75, help="for which owners come, one every five")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, Sandbox(partner_token=TOKEN) as altegio:
        _prepare(Path(folder), altegio, given.per_minute)
        waits, live = measure(altegio, given.ids, given.seconds)
    print(f"signed owners of one location: {len(waits)}, longest wait {max(waits):.1f} s, {waits}")
    print(f"the live location's payment and disconnection: {live:.1f} s")
    return 0 if max(*waits, live) <= MAX_SECONDS else 1


def _prepare(folder: Path, altegio: Sandbox, per_minute: int) -> None:
    """Set up Django in this process, on a database that is emptied: the given one, or a new SQLite file."""
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder / 'bench.sqlite3'}")
    os.environ.update(
        DJANGO_SETTINGS_MODULE="bench.settings",
        ENV_FILE=os.devnull,
        SECRET_KEY="bench",
        FIELD_ENCRYPTION_KEYS="WvGZ3K3cE8mXn6J0V2wS1d7xq0m0yq9b8yq3T1c2b3A=",
        VAR_DIR=str(folder),
        LOG_LEVEL="ERROR",
        PORTAL_URL="http://localhost:8000",
        ALLOWED_HOSTS="*",
        EMAIL_URL="memorymail://",
        ALTEGIO_APPLICATION_ID="1",
        ALTEGIO_PARTNER_TOKEN=TOKEN,
        ALTEGIO_APP_URL=altegio.app_url,
        ALTEGIO_API_URL=altegio.api_url,
        ALTEGIO_REQUESTS_PER_MINUTE=str(per_minute),
        SERVE_STATIC_WITHOUT_COLLECTING="1",
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)


def measure(altegio: Sandbox, ids: int, seconds: float) -> tuple[list[float], float]:
    """Return the seconds that each owner waited, and those of the live location's payment and disconnection."""
    altegio.configure(callbacks_enabled=False)
    _chain, locations = altegio.add_chain(2 * ids + int(seconds))
    made_up, owned = locations[: 2 * ids], locations[2 * ids :]
    with _workers():
        live = owned.pop()
        _owner_arrives(altegio, live)
        _until_active(live)
        for number, part in enumerate((made_up[:ids], made_up[ids:])):
            _bot_visits(altegio, [*part[:-1], live], f"bot{number}@example.com")
        waits = []
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            salon_id = owned.pop()
            _owner_arrives(altegio, salon_id)
            waits.append(round(_until_active(salon_id), 1))
            time.sleep(max(5 - waits[-1], 0))
        return waits, _pay_and_leave(altegio, live)


def _client(address: str) -> "Client":
    from django.test import Client

    return Client(REMOTE_ADDR=address)


def _path(url: str) -> str:
    return url[url.index("/connect/") :]


def _bot_visits(altegio: Sandbox, salon_ids: list[int], email: str) -> None:
    browser = _client("198.51.100.9")
    page = browser.get(_path(altegio.arrival_url(salon_ids, user_id=None))).content.decode()
    sign_up = re.search(r'action="([^"]*/sign-up/)"', page)
    assert sign_up is not None
    form = {"name": "Bot", "email": email, "phone": "", "password": PASSWORD}
    answer = browser.post(sign_up.group(1), form)
    assert answer.status_code == 303, answer.status_code


def _owner_arrives(altegio: Sandbox, salon_id: int) -> None:
    altegio.grant(salon_id, user_id=EMMA)
    answer = _client("203.0.113.5").get(_path(altegio.arrival_url(salon_id, user_id=EMMA)))
    assert answer.status_code == 303, answer.status_code


def _until_active(salon_id: int) -> float:
    from integrations.connections.models import Connection

    began = time.monotonic()
    while not Connection.objects.filter(location__altegio_id=salon_id, state="active").exclude(owner=None).exists():
        assert time.monotonic() - began < 120, f"{salon_id} was not activated within two minutes."
        time.sleep(0.05)
    return time.monotonic() - began


def _pay_and_leave(altegio: Sandbox, salon_id: int) -> float:
    from billing.intake import record_payment
    from billing.models import Source
    from billing.parsing import PaymentData
    from integrations.connections.models import Connection
    from integrations.status_sync.disconnect import disconnect

    connection = Connection.objects.get(location__altegio_id=salon_id, state="active")
    began = time.monotonic()
    paid_at = datetime.now(UTC).replace(microsecond=0)
    period = (paid_at, paid_at + timedelta(days=30))
    record_payment(PaymentData(None, salon_id, 1, Decimal("9.90"), "EUR", paid_at, *period), Source.ADMIN)
    disconnect(connection.pk, by=None, why="The owner leaves.")
    while Connection.objects.get(pk=connection.pk).state != "uninstalled":
        time.sleep(0.05)
    took = time.monotonic() - began
    held = altegio.connection(salon_id)
    assert held is not None
    assert len(held.payments) == 1
    return took


@contextmanager
def _workers() -> Iterator[None]:
    """Run what a worker and beat run: dispatchers that execute due calls, and the sweep of each second."""
    from django.db import connections

    from integrations.outbox.dispatcher import dispatch_due
    from integrations.outbox.sweep import expire_late_calls, recover_lost_calls

    stopped = threading.Event()

    def dispatch() -> None:
        while not stopped.is_set():
            dispatch_due()
            stopped.wait(0.05)
        connections.close_all()

    def sweep() -> None:
        while not stopped.wait(1):
            recover_lost_calls()
            expire_late_calls()
        connections.close_all()

    threads = [threading.Thread(target=dispatch) for _ in range(WORKERS)] + [threading.Thread(target=sweep)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
