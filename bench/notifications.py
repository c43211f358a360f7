"""How long a call notification takes from the API call to Altegio's door, while 10,000 statuses wait.

    DATABASE_URL=postgres://…/bench REDIS_URL=redis://… python -m bench.notifications [--addresses 1000]

Real gunicorn, Celery with beat and the sandbox, within the default call limits. The statuses are for
many addresses, so that as many calls wait as there are addresses, and take all of the budget they may.
"""

import argparse
import statistics
import time
from datetime import UTC, datetime

import requests

from bench.processes import prepare, running, wait_for, web, worker
from sandbox import Sandbox

PORT = 8932
ADDRESS = f"http://127.0.0.1:{PORT}"
STATUSES = 10_000
SETTLE = 5


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--addresses", type=int, default=1000)
    arguments.add_argument("--notifications", type=int, default=100)
    arguments.add_argument("--every", type=float, default=0.7, help="seconds from one to the next")
    given = arguments.parse_args()
    with Sandbox(partner_token="bench-token", portal_url=ADDRESS) as altegio:
        altegio.configure(requests_per_second=5, requests_per_minute=200)
        prepare(
            {
                "PORTAL_URL": ADDRESS,
                "ALTEGIO_APP_URL": altegio.app_url,
                "ALTEGIO_API_URL": altegio.api_url,
                "ALTEGIO_PARTNER_TOKEN": "bench-token",
            }
        )
        headers = connected_chain(altegio)
        with running(web(PORT), worker()):
            wait_for(f"{ADDRESS}/healthz/")
            report_statuses(altegio, headers, given.addresses)
            time.sleep(SETTLE)
            called = ring(headers, given.notifications, given.every)
            left = waiting()
            time.sleep(16)
        tell(altegio, called, left)


def connected_chain(altegio: Sandbox) -> dict[str, str]:
    """A chain with the CRM token that Altegio knows, and the headers of one of the partner's own systems."""
    from accounts.models import ApiKey
    from integrations.models import Chain

    Chain.objects.create(altegio_id=501, crm_token=altegio.chain(501).crm_token, telephony="on")
    _key, secret = ApiKey.objects.create_key(name="bench", scopes=["sms", "telephony"])
    return {"Authorization": f"Api-Key {secret}"}


def report_statuses(altegio: Sandbox, headers: dict[str, str], addresses: int) -> None:
    token_path = f"{altegio.app_url}/smsprovider/status/callback/bench-token"
    for first in range(0, STATUSES, 1000):
        items = [
            {"id": f"m{n}", "status": 4, "delivery_callback_url": f"{token_path}?n={n % addresses}"}
            for n in range(first, first + 1000)
        ]
        answer = requests.post(f"{ADDRESS}/api/v1/sms/statuses/", json=items, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text


def ring(headers: dict[str, str], count: int, every: float) -> dict[str, float]:
    """Notify `count` times. When each was begun, by its number."""
    called = {}
    for index in range(count):
        phone = f"+4477009{index:05d}"
        called[phone] = time.time()
        body = {"salon_group_id": 501, "phone": phone, "diversion": "+442071838750"}
        answer = requests.post(f"{ADDRESS}/api/v1/telephony/notifications/", json=body, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text
        time.sleep(every)
    return called


def waiting() -> int:
    from integrations.models import OutgoingCall

    return OutgoingCall.objects.filter(kind="sms_statuses", state="queued").count()


def tell(altegio: Sandbox, called: dict[str, float], left: int) -> None:
    arrived = {
        entry.body["phone"]: datetime.fromisoformat(entry.at).replace(tzinfo=UTC).timestamp()
        for entry in altegio.requests("voip")
        if entry.code == 202
    }
    taken = sorted((arrived[phone] - begun) * 1000 for phone, begun in called.items() if phone in arrived)
    refused = sum(entry.code == 429 for entry in altegio.requests())
    print(
        f"{len(called)} notifications, {left} calls with statuses still waiting at the end: "
        f"median {statistics.median(taken):.0f} ms, p99 {taken[int(len(taken) * 0.99) - 1]:.0f} ms, "
        f"worst {taken[-1]:.0f} ms, dropped {len(called) - len(taken)}; "
        f"busiest second {altegio.busiest_second()}, busiest minute {altegio.busiest_minute()}, 429: {refused}"
    )


if __name__ == "__main__":
    main()
