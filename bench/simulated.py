"""A simulated hour at Altegio's limit: the portal's own outbox code with a clock that is moved by hand.

Nothing waits: the clock jumps from one event to the next. A stand-in for Altegio replaces the client's `send` and
answers at once; it fails a part of the calls, or processes them without an answer. The reference for the hour
(`least_missed`) uses no code of the product.
"""

import heapq
import itertools
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

import time_machine
from django.conf import settings
from django.test import override_settings

from accounts.models import OutgoingEmail, User
from bench.everyday import SALON_IDS, Business
from bench.simulated_altegio import SimulatedAltegio
from bench.simulated_beat import enter_beat
from integrations.alerts.models import Alert
from integrations.altegio.client import AltegioClient
from integrations.altegio.signatures import Person
from integrations.connect.arrivals import receive_signed
from integrations.connect.parameters import Redirect
from integrations.connections.models import Application, Connection, State, application_for
from integrations.outbox import budget_shares, dispatcher, rate
from integrations.outbox.models import UNFINISHED, OutgoingCall
from tests.not_none import not_none

HOUR = 3600
BEGIN = datetime(2030, 1, 7, 9, 0, tzinfo=UTC).timestamp()
# Seconds. The portal's shortest wait before it asks what became of a call.
SHORTEST_BACK_OFF = 0.8
FIRST_NEW = 100_000


@dataclass(frozen=True)
class Arrival:
    """An owner who comes back from Altegio with these locations, so many seconds after the hour began."""

    at: float
    salon_ids: tuple[int, ...]
    chain_id: int | None = None


@dataclass(frozen=True)
class Scenario:
    """The content of the simulated time. `everyday` is the number of calls a minute that other business leads to.

    It lasts for `windows` activation windows of `window` seconds each, an hour by default.
    """

    arrivals: tuple[Arrival, ...]
    everyday: float
    window: int = HOUR
    windows: int = 1
    per_second: int = 5
    per_minute: int = 200
    faults: float = 0.02
    seed: int = 1

    @property
    def seconds(self) -> int:
        return self.window * self.windows


def bursts(locations: int, chain_size: int, *, window: int = HOUR, seed: int = 1) -> tuple[Arrival, ...]:
    """Return the arrivals of chains and of single locations.

    As many whole chains as leave a twelfth for single locations come within a minute. Single owners come through the
    whole window, ten at a time.
    """
    rng, numbers = random.Random(seed), itertools.count(FIRST_NEW)
    chains = locations * 11 // 12 // chain_size
    found = [
        Arrival(60 + 60 * n / chains, tuple(itertools.islice(numbers, chain_size)), chain_id=700 + n)
        for n in range(chains)
    ]
    moment = 60.0
    for n in range(locations - chains * chain_size):
        moment = rng.uniform(60, window) if n % 10 == 0 else moment
        found.append(Arrival(moment, (next(numbers),)))
    return tuple(sorted(found, key=lambda arrival: arrival.at))


class Clock:
    """The time that all code sees, and an agenda of actions."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, moment: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._numbers), action))

    def every(self, seconds: float, action: Callable[[], object]) -> None:
        def again() -> None:
            action()
            self.at(time.time() + seconds, again)

        self.at(time.time() + seconds, again)

    def sleep(self, seconds: float) -> None:
        """Move on by so many seconds, and run the actions of that time at their moments."""
        # A float of today's size has no steps much below a microsecond: a shorter sleep would not move the clock.
        until = time.time() + max(seconds, 0.001)
        while self._agenda[0][0] <= until:
            moment, _number, action = heapq.heappop(self._agenda)
            self._traveller.move_to(max(moment, time.time()))
            action()
        self._traveller.move_to(max(until, time.time()))


@contextmanager
def _simulated(scenario: Scenario) -> Iterator[tuple[Clock, SimulatedAltegio]]:
    """Replace the clock and Altegio for the block; no message goes to a broker."""
    altegio = SimulatedAltegio(scenario.faults, scenario.seed)
    with ExitStack() as stack:
        clock = Clock(stack.enter_context(time_machine.travel(BEGIN, tick=False)))
        stack.enter_context(
            override_settings(
                ALTEGIO_REQUESTS_PER_SECOND=scenario.per_second,
                ALTEGIO_REQUESTS_PER_MINUTE=scenario.per_minute,
                ALTEGIO_ACTIVATION_WINDOW=scenario.window,
            )
        )
        hands = SimpleNamespace(monotonic=time.monotonic, sleep=clock.sleep)
        stack.enter_context(patch.object(dispatcher, "time", hands))
        stack.enter_context(patch.object(rate, "_now", time.time))
        stack.enter_context(patch("integrations.outbox.queue.wake"))
        stack.enter_context(patch("partner_portal.core.wake.current_app"))
        stack.enter_context(patch.object(budget_shares, "_dice", random.Random(scenario.seed)))
        stack.enter_context(patch.object(AltegioClient, "send", lambda _client, call: altegio.answer(call)))
        yield clock, altegio


@dataclass(frozen=True)
class Need:
    """The calls to Altegio that one activation needs, the first not before `at`."""

    at: float
    deadline: float
    calls: int


@dataclass
class KindFigures:
    """The figures of one kind of call."""

    done: int = 0
    expired: int = 0
    other: int = 0
    waits: list[float] = field(default_factory=list)

    @property
    def longest_wait(self) -> float:
        return max(self.waits, default=0.0)


@dataclass
class Report:
    """The result of the hour."""

    locations: int
    missed: list[int]
    least_missed: int
    last_activation: float
    least_last_activation: float
    busiest_second: int
    busiest_minute: int
    calls: int
    overtaken: dict[str, int]
    by_kind: dict[str, KindFigures]
    alerts: dict[str, int]
    emails_to_staff: int
    beat: Counter[str]
    missed_that_came_before_met: int
    seconds_taken: float

    @property
    def given_away(self) -> int:
        """The number missed beyond the least, because of calls made before the next arrivals were known."""
        return max(len(self.missed) - self.least_missed, 0)


def simulate(scenario: Scenario) -> Report:
    """Simulate the hour, go on until nothing waits, and report. The database must be empty of calls."""
    began = time.perf_counter()
    with _simulated(scenario) as (clock, altegio):
        application = application_for()
        assert application is not None, "Set ALTEGIO_APPLICATION_ID."
        User.objects.create_user("staff@portal.example", is_staff=True)
        business = Business(application, scenario.seed)
        altegio.has_active(SALON_IDS)
        runs = _enter(scenario, clock, altegio, application, business)
        clock.sleep(1)
        while time.time() < BEGIN + scenario.seconds or OutgoingCall.objects.filter(state__in=UNFINISHED).exists():
            dispatcher.dispatch_due()
            # The portal would repeat such a call without end, and the simulation would not end either.
            assert not altegio.unexpected, altegio.unexpected
            clock.sleep(1 - time.time() % 1)
        report = _report(scenario, altegio, runs)
    report.seconds_taken = time.perf_counter() - began
    return report


def _enter(
    scenario: Scenario, clock: Clock, altegio: SimulatedAltegio, application: Application, business: Business
) -> Counter[str]:
    """Put the arrivals, the everyday business and beat's work into the agenda. Return how often beat's work ran."""
    for number, arrival in enumerate(scenario.arrivals):
        clock.at(BEGIN + arrival.at, partial(_arrive, altegio, application, arrival, number))
    rng = random.Random(scenario.seed)
    for _ in range(int(scenario.everyday * scenario.seconds / 60)):
        clock.at(BEGIN + rng.uniform(0, scenario.seconds), business.happen)
    return enter_beat(clock)


def _arrive(altegio: SimulatedAltegio, application: Application, arrival: Arrival, number: int) -> None:
    altegio.grant(arrival.salon_ids)
    person = Person(50_000 + number, f"Owner {number}", "", f"owner{number}@example.com", "")
    token = "" if arrival.chain_id is None else f"crm-{arrival.chain_id}"
    receive_signed(application, Redirect(arrival.salon_ids, arrival.chain_id, token, person))


def least_missed(
    needs: Sequence[Need], per_second: int, per_minute: int, sent_before: Sequence[float]
) -> tuple[int, float]:
    """Return how many activations must miss their deadline in any order of sending, and when the last could be made.

    The earliest deadline goes first, in slots as early as the sliding windows allow: for calls of one length no other
    order meets more. An activation that waits for more than the clocks' tolerance needs one more call, the question
    about the grant. `sent_before` are the portal's calls before the first arrival, when nobody knew what would come.
    """
    sent = deque(sent_before, maxlen=per_minute)
    coming = [(need.at, need.deadline, n, need.calls) for n, need in enumerate(needs)]
    heapq.heapify(coming)
    ready: list[tuple[float, int, int]] = []
    asked: set[int] = set()
    missed, last = 0, 0.0
    while coming or ready:
        slot = max(
            sent[-per_second] + 1 if len(sent) >= per_second else 0.0,
            sent[0] + 60 if len(sent) == per_minute else 0.0,
            sent[-1] if sent else 0.0,
            coming[0][0] if not ready else 0.0,
        )
        while coming and coming[0][0] <= slot:
            _at, deadline, n, calls = heapq.heappop(coming)
            heapq.heappush(ready, (deadline, n, calls))
        if not ready:
            continue
        deadline, n, calls = heapq.heappop(ready)
        if deadline <= slot:
            missed += 1
            continue
        sent.append(slot)
        last = slot
        if calls == needs[n].calls and n not in asked and slot > needs[n].at + settings.ALTEGIO_CLOCK_TOLERANCE:
            asked.add(n)
            heapq.heappush(ready, (deadline, n, calls))
        elif calls > 1:
            heapq.heappush(coming, (slot + SHORTEST_BACK_OFF, deadline, n, calls - 1))
    return missed, last


def _report(scenario: Scenario, altegio: SimulatedAltegio, beat: Counter[str]) -> Report:
    new = {salon_id: arrival for arrival in scenario.arrivals for salon_id in arrival.salon_ids}
    first = BEGIN + scenario.arrivals[0].at
    before = [at for at, _kind, _subject in altegio.journal if at < first]
    needs = [_need(altegio, salon_id, arrival, scenario.window) for salon_id, arrival in new.items()]
    least, least_last = least_missed(needs, scenario.per_second, scenario.per_minute, before)
    met = Connection.objects.filter(state=State.ACTIVE).values_list("location__altegio_id", flat=True)
    missed = sorted(new.keys() - set(met))
    moments = [at for at, _kind, _subject in altegio.journal]
    return Report(
        locations=len(new),
        missed=missed,
        least_missed=least,
        last_activation=max(at for at, kind, _ in altegio.journal if kind == "activate") - BEGIN,
        least_last_activation=least_last - BEGIN,
        busiest_second=_busiest(moments, 1),
        busiest_minute=_busiest(moments, 60),
        calls=len(moments),
        overtaken=dict(altegio.overtaken),
        by_kind=_by_kind(),
        alerts=dict(Counter(Alert.objects.values_list("kind", flat=True))),
        missed_that_came_before_met=_out_of_order(scenario, set(missed)),
        emails_to_staff=OutgoingEmail.objects.filter(template="staff/alerts").count(),
        beat=beat,
        seconds_taken=0.0,
    )


def _need(altegio: SimulatedAltegio, salon_id: int, arrival: Arrival, window: int) -> Need:
    at = BEGIN + arrival.at
    calls = {"": 1, "lost": 2, "failed": 3}[altegio.fault_of("activate", salon_id)]
    return Need(at, at + window, calls)


def _out_of_order(scenario: Scenario, missed: set[int]) -> int:
    """Return how many were missed though a later location of the same arrival was met."""
    return sum(
        any(later not in missed for later in arrival.salon_ids[place + 1 :])
        for arrival in scenario.arrivals
        for place, salon_id in enumerate(arrival.salon_ids)
        if salon_id in missed
    )


def _busiest(moments: Sequence[float], window: float) -> int:
    """Return the highest number of calls in any window of so many seconds."""
    most, begin = 0, 0
    for index, moment in enumerate(moments):
        while moments[begin] <= moment - window + 1e-6:
            begin += 1
        most = max(most, index - begin + 1)
    return most


def _by_kind() -> dict[str, KindFigures]:
    by_kind: defaultdict[str, KindFigures] = defaultdict(KindFigures)
    rows = OutgoingCall.objects.order_by("priority", "kind").values_list("kind", "state", "created_at", "finished_at")
    for kind, state, created_at, finished_at in rows:
        figures = by_kind[kind]
        figures.done += state == "done"
        figures.expired += state == "expired"
        figures.other += state not in ("done", "expired")
        figures.waits.append((not_none(finished_at) - created_at).total_seconds())
    return dict(by_kind)
