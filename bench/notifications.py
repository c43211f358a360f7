"""The time that a call notification takes from the API to Altegio while message statuses wait."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any

import requests

from bench.figures import Figure
from bench.options import Options
from bench.stage import DEFAULTS, PER_MINUTE, PER_SECOND, Stage, stage
from bench.traffic import CHAIN, KNOW_CHAIN, STATUSES, status_items
from tests.end_to_end.portal import PARTNER_TOKEN, wait_for

ADDRESSES, BATCHES = 1000, 10
NOTIFICATIONS, EVERY = 60, 0.7
NOTIFY = "/api/v1/telephony/notifications/"
# Each notification counts against the same limits, so the next slot is this far away while other calls wait.
SLOT_MS = 60_000 / PER_MINUTE


def measure(_options: Options) -> Iterator[Figure]:
    """Measure while as many calls with statuses wait as there are addresses, and use all the limit that they may."""
    with stage() as on:
        on.altegio.configure(requests_per_second=PER_SECOND, requests_per_minute=PER_MINUTE)
        on.start_web()
        token = on.altegio.chain(CHAIN).crm_token
        on.portal.command("shell", "-c", KNOW_CHAIN.format(chain=CHAIN, token=token))
        key = on.key("sms", "telephony")
        _report(on, key)
        on.portal.start_worker(**DEFAULTS)
        on.portal.start_beat()
        wait_for(lambda: on.altegio.requests("sms_statuses"), "the first statuses arrive")
        begun = _ring(on, key)
        left = on.portal.calls("kind = 'sms_statuses' AND state = 'queued'")
        wait_for(lambda: len(_arrived(on)) == NOTIFICATIONS, "every notification arrives")
        yield _figure(on, begun, left)


def _report(on: Stage, key: str) -> None:
    for batch in range(BATCHES):
        items: list[dict[str, Any]] = status_items(1000)
        for number, item in enumerate(items):
            way = (batch * 1000 + number) % ADDRESSES
            item["delivery_callback_url"] = f"{on.altegio.app_url}/smsprovider/{way}/status/callback/{PARTNER_TOKEN}"
        _post(on, STATUSES, items, key)


def _ring(on: Stage, key: str) -> dict[str, float]:
    """Notify at a steady pace, and return when each notification began, by its phone number."""
    begun = {}
    for index in range(NOTIFICATIONS):
        phone = f"+4477009{index:05d}"
        begun[phone] = time.time()
        _post(on, NOTIFY, {"salon_group_id": CHAIN, "phone": phone, "diversion": "+442071838750"}, key)
        time.sleep(EVERY)
    return begun


def _arrived(on: Stage) -> dict[str, float]:
    """Return when each notification reached Altegio, by its phone number."""
    return {
        call.body["phone"]: datetime.fromisoformat(call.at).replace(tzinfo=UTC).timestamp()
        for call in on.altegio.requests("voip")
        if call.processed and "phone" in call.body
    }


def _post(on: Stage, path: str, body: object, key: str) -> None:
    answer = requests.post(on.portal.url + path, json=body, headers={"Authorization": key}, timeout=60)
    assert answer.status_code == 202, answer.text


def _figure(on: Stage, begun: dict[str, float], left: int) -> Figure:
    arrived = _arrived(on)
    taken = [(arrived[phone] - moment) * 1000 for phone, moment in begun.items()]
    second, minute = on.altegio.busiest_second(), on.altegio.busiest_minute()
    return Figure(
        *("notifications", f"to Altegio while {left} calls wait", median(taken), SLOT_MS, "ms", "next slot"),
        broken="more than allowed" if second > PER_SECOND or minute > PER_MINUTE else "",
        details={"p99": f"{quantiles(taken, n=100)[98]:.0f} ms", "busiest second": second, "busiest minute": minute},
    )
