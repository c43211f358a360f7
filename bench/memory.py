"""The memory of each process during mixed traffic: growth without end is a leak."""

import itertools
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, median
from urllib.parse import urlsplit

import requests

from bench import traffic
from bench.figures import Figure
from bench.load import HOST, exchange, get, post
from bench.options import Options
from bench.plot import Line, draw
from bench.stage import EMMA, UNLIMITED, Stage, stage
from tests.end_to_end.portal import STAFF_PASSWORD, Program
from tests.not_none import not_none

LOCATIONS = 50
PAGES = ("/admin/", "/admin/connections/connection/", "/admin/outbox/outgoingcall/", "/admin/billing/payment/")
# Seconds that each kind of request waits after an answer, so that the machine has capacity for the work behind it.
PAUSE = 0.05
# The share of the time in which caches and pools are filled; a leak goes on after that.
WARMING = 0.25
PLOT = Path("var/bench-memory.svg")
SAMPLE_EVERY = 2.0
MAX_GROWTH = 1.05
MIB = 1024 * 1024


@dataclass
class Watched:
    """A program of the portal with its children, and the memory that they held together, in MiB, at which second."""

    name: str
    program: Program
    seconds: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)

    def sample(self, at: float) -> None:
        self.seconds.append(at)
        self.held.append(sum(map(_held_by, _family(self.program.pid))) / MIB)


def measure(options: Options) -> Iterator[Figure]:
    """Soak for `soak_minutes` and draw a plot.

    Start and end are medians of a tenth of the time each, after the warming.
    """
    with stage() as on:
        port = on.start_web()
        senders = _senders(on)
        watched = [Watched("web", on.portal.web)]
        watched.append(Watched("worker", on.portal.start_worker(**UNLIMITED)))
        watched.append(Watched("beat", on.portal.start_beat()))
        with _traffic(port, senders) as answered:
            _watch(watched, options.soak_minutes * 60)
        lines = [Line(one.name, [second / 60 for second in one.seconds], one.held) for one in watched]
        draw(PLOT, f"Memory in {options.soak_minutes:g} minutes of mixed traffic", "MiB", lines)
        for one in watched:
            yield _figure(one, sum(answered.values()), options.soak_minutes)


def _watch(watched: list[Watched], seconds: float) -> None:
    started = time.monotonic()
    while (passed := time.monotonic() - started) < seconds:
        for one in watched:
            one.sample(passed)
        time.sleep(min(SAMPLE_EVERY, seconds / 100))


def _figure(one: Watched, answered: int, minutes: float) -> Figure:
    first = int(len(one.held) * WARMING)
    settled, seconds = one.held[first:], one.seconds[first:]
    tenth = max(len(one.held) // 10, 1)
    slope = linear_regression(seconds, settled).slope * 3600
    return Figure(
        *("memory", f"{one.name}, {minutes:g} min", median(settled[-tenth:]), median(settled[:tenth]), "MiB"),
        beside="after warming",
        most=MAX_GROWTH,
        details={"slope": f"{slope:+.1f} MiB/h", "requests": answered},
    )


@dataclass(frozen=True)
class Sender:
    """A kind of request, and the status that must answer it."""

    name: str
    requests: Iterator[bytes]
    status: int


def _senders(on: Stage) -> list[Sender]:
    locations = on.connect(LOCATIONS)
    key, place = on.key("billing", "sms", "read"), locations[0]
    status_page = urlsplit(on.portal.page(on.altegio.arrival_url(place, user_id=EMMA)).headers["Location"]).path
    cookie = f"sessionid={_staff_session(on)}"
    return [
        Sender("events", itertools.cycle(traffic.events(on, locations)), 200),
        Sender("callbacks", itertools.repeat(post("/altegio/callback/", traffic.callback(place))), 200),
        Sender("arrivals", traffic.visits(), 303),
        Sender("status page", itertools.repeat(get(status_page)), 200),
        Sender("payments", traffic.payments(locations, key), 202),
        Sender("statuses", traffic.statuses(key, size=50), 202),
        Sender("lists", itertools.repeat(get("/api/v1/connections/", Authorization=key)), 200),
        Sender("control room", itertools.cycle(get(page, Cookie=cookie) for page in PAGES), 200),
    ]


def _staff_session(on: Stage) -> str:
    session, sign_in = requests.Session(), f"{on.portal.url}/admin/login/?next=/admin/"
    form = session.get(sign_in, timeout=30).text
    token = not_none(re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)).group(1)
    given = {"csrfmiddlewaretoken": token, "username": "staff@example.com", "password": STAFF_PASSWORD}
    session.post(sign_in, given, headers={"Referer": sign_in}, timeout=30)
    return session.cookies["sessionid"]


@contextmanager
def _traffic(port: int, senders: list[Sender]) -> Iterator[Counter[str]]:
    """Send every kind of request from a thread of its own while the block runs, and count the answers."""
    answered: Counter[str] = Counter()
    ended = threading.Event()

    def send(sender: Sender) -> None:
        with socket.create_connection((HOST, port)) as line:
            while not ended.wait(PAUSE):
                status = exchange(line, next(sender.requests))
                if status != sender.status:
                    raise RuntimeError(f"{sender.name} are answered {status} instead of {sender.status}.")
                answered[sender.name] += 1

    with ThreadPoolExecutor(len(senders)) as pool:
        running = [pool.submit(send, sender) for sender in senders]
        try:
            yield answered
        finally:
            ended.set()
    for one in running:
        one.result()


def _family(pid: int) -> Iterator[int]:
    """Yield the process and all that it started."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        # A thread may end at this moment.
        with suppress(OSError):
            for child in children.read_text().split():
                yield from _family(int(child))


def _held_by(pid: int) -> int:
    """Return the process's memory in bytes, with shared memory counted in parts; 0 if it has just ended."""
    with suppress(OSError):
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(not_none(re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)).group(1)) * 1024
    return 0
