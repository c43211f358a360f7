"""Outgoing calls: the used share of Altegio's limit while calls wait, and the delay of a single call."""

import time
from collections.abc import Iterator
from statistics import median, quantiles

from bench.figures import Figure
from bench.options import Options
from bench.stage import DEFAULTS, EMMA, PER_MINUTE, PER_SECOND, UNLIMITED, Stage, stage
from sandbox.limits import MINUTE, SECOND, busiest
from tests.end_to_end.portal import activations, wait_for

SINGLE, WARMING, LOT = 60, 5, 20
WANTED = 0.98
# Milliseconds after the page has answered.
MAX_AFTER_PAGE = 50
AT_WORK = """
SELECT 1 FROM outbox_outgoingcall WHERE state = 'sending' OR (state IN ('queued', 'unconfirmed') AND due_at <= now())
"""


def measure(options: Options) -> Iterator[Figure]:
    """Measure both with web, worker and beat as in production."""
    with stage() as on:
        on.start_web()
        beat = on.portal.start_beat()
        yield _soon(on)
        yield _use_of_the_limit(on, options.waiting)
        beat.kill()


def _soon(on: Stage) -> Figure:
    """Measure the time from an arrival's request until its activation reaches Altegio, beside the page's own answer.

    Each arrival comes to a portal that has nothing else to do.
    """
    worker = on.portal.start_worker(**UNLIMITED)
    _chain, locations = on.altegio.add_chain(SINGLE + WARMING)
    on.altegio.grant(locations, user_id=EMMA)
    answered, accepted = [], []
    for location in locations:
        began = time.monotonic()
        on.portal.page(on.altegio.arrival_url(location, user_id=EMMA))
        answered.append(time.monotonic() - began)
        call = wait_for(lambda: on.altegio.requests("activate", location), "the activation arrives")[0]  # noqa: B023
        accepted.append(call.monotonic - began)
        wait_for(lambda: not on.portal.database.query(AT_WORK), "the portal is at rest")
    worker.kill()
    milliseconds = [seconds * 1000 for seconds in accepted[WARMING:]]
    page = median(answered[WARMING:]) * 1000
    after = median(milliseconds) - page
    return Figure(
        *("calls", "arrival to activation", median(milliseconds), page, "ms", "the page's answer"),
        broken="too long after the page" if after > MAX_AFTER_PAGE else "",
        details={"after the page": f"{after:.0f} ms", "p99": f"{quantiles(milliseconds, n=100)[98]:.0f} ms"},
    )


def _use_of_the_limit(on: Stage, waiting: int) -> Figure:
    """Measure how fast two workers send the activations of locations that wait."""
    _chain, locations = on.altegio.add_chain(waiting)
    on.altegio.grant(locations, user_id=EMMA)
    # Larger arrivals would leave a part of the limit to other calls while they have time.
    for first in range(0, waiting, LOT):
        on.portal.page(on.altegio.arrival_url(locations[first : first + LOT], user_id=EMMA))
    on.portal.forget_rate()
    on.altegio.clear_requests()
    workers = [on.portal.start_worker(**DEFAULTS) for _ in range(2)]
    # A connection that has waited is asked about first, which makes two calls for each.
    patience = 2 * fastest_possible(2 * waiting) + 60
    wait_for(lambda: all(activations(on.altegio, locations).values()), "all are accepted", timeout=patience)
    for worker in workers:
        worker.kill()
    moments = sorted(call.monotonic for call in on.altegio.requests())
    taken, fastest = moments[-1] - moments[0], fastest_possible(len(moments))
    held = busiest(moments, SECOND), busiest(moments, MINUTE)
    twice = sum(count > 1 for count in activations(on.altegio, locations).values())
    return Figure(
        *("calls", f"sent while {waiting} wait", len(moments) / taken, len(moments) / fastest, "/s", "allowed"),
        least=WANTED,
        broken=_broken(*held, twice),
        details={"busiest second": held[0], "busiest minute": held[1]},
    )


def _broken(second: int, minute: int, twice: int) -> str:
    if second > PER_SECOND or minute > PER_MINUTE:
        return "more than allowed"
    return f"{twice} activated twice" if twice else ""


def fastest_possible(calls: int) -> float:
    """Return the seconds from the first to the last of so many calls if both limits are used to the full."""
    minutes, rest = divmod(calls - 1, PER_MINUTE)
    return minutes * MINUTE + rest // PER_SECOND * SECOND
