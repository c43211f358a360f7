"""`python -m bench.arrivals`: how fast an arrival becomes an activation, and what arrivals cost.

Needs DATABASE_URL (PostgreSQL) and REDIS_URL; what they name is not touched (tests/processes/stores.py).
Prints a table and writes it as JSON to var/bench/arrivals.json. Takes about four minutes.
"""

import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.load import requests_per_second
from sandbox import Sandbox
from sandbox.arrival import connect_address, location_pairs, person_json, person_pairs
from sandbox.limits import MINUTE, SECOND, busiest
from sandbox.models import Location, User
from tests.processes.portal import PARTNER_TOKEN, ROOT, Portal, activations, wait_for

EMMA = 9001
SINGLE_ARRIVALS, WAITING = 100, 500
PER_SECOND, PER_MINUTE = 5, 200
ROUNDS, ROUND_SECONDS = 3, 5.0
UNLIMITED = {"ALTEGIO_REQUESTS_PER_SECOND": "1000", "ALTEGIO_REQUESTS_PER_MINUTE": "60000"}
DEFAULTS = {"ALTEGIO_REQUESTS_PER_SECOND": str(PER_SECOND), "ALTEGIO_REQUESTS_PER_MINUTE": str(PER_MINUTE)}
Figures = dict[str, float]


def arrival_to_acceptance(portal: Portal, altegio: Sandbox) -> Figures:
    """From the request to the moment the activation reaches Altegio: its own time is not in it."""
    portal.start_web(DJANGO_SETTINGS_MODULE="bench.settings")
    portal.start_worker(**UNLIMITED)
    portal.start_beat()
    _chain, locations = altegio.add_chain(SINGLE_ARRIVALS + 5)
    altegio.grant(locations, user_id=EMMA)
    seconds = []
    for location in locations:
        url = altegio.arrival_url(location, user_id=EMMA)
        started = time.monotonic()
        portal.page(url)
        call = wait_for(lambda: altegio.requests("activate", location), "the activation arrives")[0]  # noqa: B023
        seconds.append(call.monotonic - started)
    portal.stop()
    measured = sorted(seconds[5:])
    return {
        "arrivals": len(measured),
        "median_ms": round(statistics.median(measured) * 1000, 1),
        "p99_ms": round(statistics.quantiles(measured, n=100)[98] * 1000, 1),
        "longest_ms": round(measured[-1] * 1000, 1),
    }


def arrival_page(portal: Portal) -> Figures:
    """Signed arrivals of ever new people at ever new locations, beside the bare view, turn by turn."""
    arrivals, inserts = new_arrivals(), itertools.repeat("/insert/")
    page, bare = [], []
    for _ in range(ROUNDS):
        portal.start_web(DJANGO_SETTINGS_MODULE="bench.settings")
        requests_per_second(portal.url, arrivals, 303, 1.0)
        page.append(requests_per_second(portal.url, arrivals, 303, ROUND_SECONDS))
        portal.stop()
        portal.start_web(DJANGO_SETTINGS_MODULE="bench.one_insert")
        requests_per_second(portal.url, inserts, 200, 1.0)
        bare.append(requests_per_second(portal.url, inserts, 200, ROUND_SECONDS))
        portal.stop()
    portal.forget_calls()
    return {
        "arrivals_per_second": round(statistics.median(page), 1),
        "bare_inserts_per_second": round(statistics.median(bare), 1),
        "ratio": round(statistics.median(page) / statistics.median(bare), 3),
    }


def new_arrivals() -> Iterator[str]:
    for number in itertools.count(1):
        location = Location(5_000_000 + number, f"Salon {number}", "", "", "", "", "", "UTC", "", None)
        user = User(6_000_000 + number, f"Owner {number}", "447700900000", f"owner{number}@example.com")
        pairs = location_pairs([location.id]) + person_pairs(person_json(user, location, ""), PARTNER_TOKEN)
        yield connect_address("", 1, 1, pairs)


def use_of_the_call_rate(portal: Portal, altegio: Sandbox) -> Figures:
    """500 locations wait; how near to the fastest that the limits allow they are activated."""
    portal.start_web(DJANGO_SETTINGS_MODULE="bench.settings")
    _chain, locations = altegio.add_chain(WAITING)
    altegio.grant(locations, user_id=EMMA)
    portal.page(altegio.arrival_url(locations, user_id=EMMA))
    altegio.clear_requests()
    portal.start_worker(**DEFAULTS)
    portal.start_worker(**DEFAULTS)
    portal.start_beat()
    wait_for(lambda: all(activations(altegio, locations).values()), "all are accepted", timeout=400)
    portal.stop()
    moments = sorted(call.monotonic for call in altegio.requests())
    taken, fastest = moments[-1] - moments[0], fastest_possible(len(moments))
    return {
        "calls": len(moments),
        "seconds": round(taken, 1),
        "fastest_allowed_seconds": fastest,
        "share_of_the_allowed_rate": round(fastest / taken, 3),
        "busiest_second": busiest(moments, SECOND),
        "busiest_minute": busiest(moments, MINUTE),
        "accepted_more_than_once": sum(count > 1 for count in activations(altegio, locations).values()),
    }


def fastest_possible(calls: int) -> float:
    """Seconds from the first to the last of so many calls when both limits are used to the full."""
    minutes, rest = divmod(calls - 1, PER_MINUTE)
    return minutes * MINUTE + rest // PER_SECOND * SECOND


def main() -> int:
    if not os.environ.get("DATABASE_URL", "").startswith("postgres") or not os.environ.get("REDIS_URL"):
        sys.exit("Set DATABASE_URL to PostgreSQL and REDIS_URL.")
    figures: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as folder, Sandbox(partner_token=PARTNER_TOKEN) as altegio:
        portal = Portal(Path(folder), altegio.app_url)
        altegio.portal_url = portal.url
        try:
            portal.prepare()
            figures["arrival to acceptance"] = arrival_to_acceptance(portal, altegio)
            figures["arrival page"] = arrival_page(portal)
            figures["call rate"] = use_of_the_call_rate(portal, altegio)
        finally:
            portal.close()
            show(figures)
    return 0


def show(figures: dict[str, Any]) -> None:
    for title, values in figures.items():
        print(f"\n{title}")
        for name, value in values.items():
            print(f"  {name.replace('_', ' '):<28}{value:>10}")
    target = ROOT / "var" / "bench" / "arrivals.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(figures, indent=2))
    print(f"\n{target.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
