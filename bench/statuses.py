"""How many message statuses are taken in a second, 1000 a call, beside COPY of the same rows.

    DATABASE_URL=postgres://…/bench python -m bench.statuses [--calls 100] [--before 0]

Real gunicorn (2 × 4 threads) and four callers. `--before` fills the table with so many statuses first.
"""

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from bench.processes import prepare, running, wait_for, web

PORT = 8931
ADDRESS = f"http://127.0.0.1:{PORT}"
CALLERS = 4
EACH = 1000


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--calls", type=int, default=100)
    arguments.add_argument("--before", type=int, default=0)
    given = arguments.parse_args()
    prepare({"PORTAL_URL": ADDRESS, "REDIS_URL": os.environ.get("REDIS_URL", "")})
    from accounts.models import ApiKey

    _key, secret = ApiKey.objects.create_key(name="bench", scopes=["sms"])
    fill(given.before)
    bodies = [body(number) for number in range(given.calls)]
    with running(web(PORT)):
        wait_for(f"{ADDRESS}/healthz/")
        taken = through_the_api(bodies, secret)
    copied = by_copy(given.calls * EACH)
    print(
        f"{given.calls * EACH} statuses, {given.before} there before: taken in {taken:.0f}/s, "
        f"COPY {copied:.0f}/s, ratio {taken / copied:.3f}"
    )


def body(call: int) -> bytes:
    priced = {"payment_sum": 0.045, "currency_iso": "EUR", "parts_amount": 2}
    items = [{"id": f"bench-{call}-{n}", "status": (4, 1, 8, 2)[n % 4], **priced} for n in range(EACH)]
    return json.dumps(items).encode()


def through_the_api(bodies: list[bytes], secret: str) -> float:
    headers = {"Authorization": f"Api-Key {secret}", "Content-Type": "application/json"}

    def report(one: bytes) -> None:
        answer = requests.post(f"{ADDRESS}/api/v1/sms/statuses/", data=one, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text

    report(json.dumps([{"id": "warm", "status": 2}]).encode())
    started = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(report, bodies))
    return len(bodies) * EACH / (time.monotonic() - started)


def fill(count: int) -> None:
    """`count` statuses of long ago, in batches of 1000, all sent."""
    from django.db import connection

    if not count:
        return
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO integrations_callbackaddress (host, path) VALUES ('app', '/old') RETURNING id")
        address = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO integrations_statusbatch"
            " (address_id, state, first_id, size, alone, tallied, received_at, refusal)"
            " SELECT %s, 'sent', 0, 1000, false, true, now() - interval '30 days', '' FROM generate_series(1, %s)",
            [address, count // EACH + 1],
        )
        cursor.execute(
            "INSERT INTO integrations_messagestatus"
            " (batch_id, address_id, message_id, id_is_number, status, payment_sum, currency_iso, parts_amount)"
            " SELECT (SELECT min(id) FROM integrations_statusbatch) + n / 1000, %s, md5(n::text), false, 1, 0.045,"
            " 'EUR', 2 FROM generate_series(0, %s) AS n",
            [address, count - 1],
        )


def by_copy(count: int) -> float:
    """The rows just taken in, copied into a table with the same columns and indexes."""
    from django.db import connection

    columns = "batch_id, address_id, message_id, id_is_number, status, payment_sum, currency_iso, parts_amount"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM integrations_messagestatus ORDER BY id DESC LIMIT %s", [count])
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE IF EXISTS bench_copy")
        cursor.execute("CREATE TABLE bench_copy (LIKE integrations_messagestatus INCLUDING ALL)")
        started = time.monotonic()
        with cursor.copy(f"COPY bench_copy ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        seconds = time.monotonic() - started
        cursor.execute("DROP TABLE bench_copy")
    return count / seconds


if __name__ == "__main__":
    main()
