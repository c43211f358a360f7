"""Payments taken in per second by the API, beside a view that does one INSERT, on the same gunicorn.

    python -m bench.payments_api [--seconds 5] [--rounds 3] [--clients 8]

It takes the settings of the environment (DATABASE_URL, REDIS_URL …), migrates that database and leaves
its payments in it: give it one of its own. The two are measured in turns, so that both see the same machine.
"""

import argparse
import http.client
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
FIRST_SALON = 10101
BODY = {
    "salon_id": FIRST_SALON,
    "amount": "990.99",
    "currency": "EUR",
    "paid_at": "2026-01-01T12:00:00Z",
    "period_from": "2026-01-01T00:00:00Z",
    "period_to": "2026-01-31T23:59:59Z",
    "allow_overlap": True,
}
LOCATIONS = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.payments_settings"
    key, vendor = _prepare()
    port = _free_port()
    server = _serve(port)
    try:
        _wait(port)
        bare, taken = [], []
        for number in range(options.rounds):
            bare.append(_rate(port, "/bench/bare/", {}, _plain, options))
            headers = {"Authorization": f"Api-Key {key}"}
            taken.append(_rate(port, "/api/v1/payments/", headers, _payments(number), options))
    finally:
        server.terminate()
        server.wait(10)
    print(f"{vendor}, {options.clients} clients, medians of {options.rounds} × {options.seconds:g} s")
    print(f"one INSERT     {statistics.median(bare):8.0f} /s   {[round(rate) for rate in bare]}")
    print(f"payments taken {statistics.median(taken):8.0f} /s   {[round(rate) for rate in taken]}")
    ratios = [one / other for one, other in zip(taken, bare, strict=True)]
    print(f"ratio          {statistics.median(ratios):8.2f}")
    return 0


def _prepare() -> tuple[str, str]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from accounts.models import ApiKey
    from integrations.models import Connection, Location
    from integrations.models.application import application_for

    call_command("migrate", verbosity=0, interactive=False)
    with connection.cursor() as cursor:
        serial = "bigserial" if connection.vendor == "postgresql" else "integer"
        cursor.execute(f"CREATE TABLE IF NOT EXISTS bench_payments (id {serial} PRIMARY KEY, body text)")
    application, now = application_for(), timezone.now()
    if application is None:
        sys.exit("Set ALTEGIO_APPLICATION_ID.")
    for salon_id in range(FIRST_SALON, FIRST_SALON + LOCATIONS):
        location, _made = Location.objects.get_or_create(altegio_id=salon_id)
        Connection.objects.get_or_create(
            application=application,
            location=location,
            state="active",
            defaults={"arrived_at": now, "last_arrived_at": now, "deadline_at": now, "activated_at": now},
        )
    _key, secret = ApiKey.objects.create_key(name="bench", scopes=["billing"])
    return secret, connection.vendor


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _serve(port: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "gunicorn", "partner_portal.wsgi", "--log-level", "warning"]
    return subprocess.Popen(command, env={**os.environ, "BIND": f"{HOST}:{port}", "LOG_LEVEL": "ERROR"})


def _wait(port: int) -> None:
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        try:
            line = http.client.HTTPConnection(HOST, port, timeout=2)
            line.request("GET", "/healthz/")
            if line.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    sys.exit("gunicorn did not start.")


def _plain(_client: int) -> Iterator[str]:
    body = json.dumps(BODY)
    return itertools.repeat(body)


def _payments(number: int) -> Callable[[int], Iterator[str]]:
    run = f"{time.time():.0f}-{number}"

    def bodies(client: int) -> Iterator[str]:
        for count in itertools.count():
            salon_id = FIRST_SALON + (client * 31 + count) % LOCATIONS
            yield json.dumps({**BODY, "salon_id": salon_id, "external_id": f"{run}-{client}-{count}"})

    return bodies


def _rate(
    port: int,
    path: str,
    headers: dict[str, str],
    bodies: Callable[[int], Iterator[str]],
    options: argparse.Namespace,
) -> float:
    """Accepted requests per second, all clients together; another answer than 202 ends the measurement."""
    done = [0] * options.clients
    wrong: list[str] = []
    started = time.monotonic()
    ends_at = started + options.seconds

    def client(number: int) -> None:
        line = http.client.HTTPConnection(HOST, port, timeout=30)
        for body in bodies(number):
            if time.monotonic() > ends_at or wrong:
                return
            line.request("POST", path, body, {"Content-Type": "application/json", "Host": "localhost", **headers})
            answer = line.getresponse()
            text = answer.read()
            if answer.status != 202:
                wrong.append(f"{answer.status}: {text[:300]!r}")
            done[number] += 1

    threads = [threading.Thread(target=client, args=[number]) for number in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        sys.exit(wrong[0])
    return sum(done) / (time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
