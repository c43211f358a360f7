"""The busiest endpoints, beside bare Django views on a gunicorn of the same shape and the same database."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from bench import traffic
from bench.figures import Figure, median_interval
from bench.load import Load, get, post, put_on
from bench.options import Options
from bench.stage import Stage, stage

LOCATIONS, EVENT_KEYS = 200, 20
WANTED, WANTED_OF_MESSAGES, WANTED_OF_PHONE_CALLS = 0.85, 0.5, 0.2
WANTED_OF_ARRIVALS, WANTED_OF_PAYMENTS, WANTED_OF_STATUSES = 0.08, 0.15, 0.33
# How many requests are made before a round for each of its seconds, so that making them takes no time of it.
MAX_IN_A_SECOND = 2500
MAX_HEAVY_IN_A_SECOND = 150


@dataclass(frozen=True)
class Endpoint:
    """A busy endpoint and the bare view beside it: their requests, and the status that means "accepted"."""

    name: str
    requests: Iterator[bytes]
    status: int
    bare: Iterator[bytes]
    least: float | None = None
    table: str = ""
    heavy: bool = False


def measure(options: Options) -> Iterator[Figure]:
    """Measure endpoint and floor alternately, in short rounds. The ratio is the median of the rounds' own ratios."""
    with stage() as on:
        web = on.start_web()
        doors = _doors(on)
        bare = on.start_bare()
        for endpoint in doors:
            yield _beside_bare(on, endpoint, web, bare, options)


def _doors(on: Stage) -> list[Endpoint]:
    locations = on.connect(LOCATIONS)
    key = on.key("billing", "sms", "telephony")
    place = locations[0]
    event, callback = traffic.event(place), traffic.callback(place)
    return [
        Endpoint(
            *("entity webhook", itertools.cycle(traffic.events(on, locations[:EVENT_KEYS])), 200),
            itertools.repeat(post("/bare/", event)),
            *(WANTED, "webhooks_event"),
        ),
        Endpoint(
            *("callback", itertools.repeat(post("/altegio/callback/", callback)), 200),
            itertools.repeat(post("/bare/", callback)),
            *(WANTED, "lifecycle_callback"),
        ),
        Endpoint(
            *("message to be sent", traffic.messages(on, locations[:EVENT_KEYS]), 200),
            itertools.repeat(post("/bare/", traffic.message(on, 0))),
            *(WANTED_OF_MESSAGES, "messaging_requestedmessage"),
        ),
        Endpoint(
            *("arrival page", traffic.visits(), 303),
            (get(address.replace("/connect/", "/bare/")) for address in traffic.arrivals()),
            WANTED_OF_ARRIVALS,
        ),
        Endpoint(
            *("payments API", traffic.payments(locations, key), 202),
            itertools.repeat(post("/bare/", {**traffic.PAYMENT, "salon_id": place, "external_id": "0" * 32})),
            *(WANTED_OF_PAYMENTS, "billing_payment"),
        ),
        Endpoint(
            *("phone call", traffic.phone_calls(on, key), 202),
            itertools.repeat(post("/bare/", traffic.phone_call("0" * 32))),
            *(WANTED_OF_PHONE_CALLS, "telephony_phonecall"),
        ),
        Endpoint(
            *("1000 SMS statuses", traffic.statuses(key), 202),
            (post("/bare/statuses/", traffic.status_items(1000)) for _ in itertools.count()),
            WANTED_OF_STATUSES,
            heavy=True,
        ),
    ]


def _beside_bare(on: Stage, endpoint: Endpoint, web: int, bare: int, options: Options) -> Figure:
    before = on.count(endpoint.table) if endpoint.table else 0
    most = MAX_HEAVY_IN_A_SECOND if endpoint.heavy else MAX_IN_A_SECOND

    def load(port: int, requests: Iterator[bytes], status: int, seconds: float) -> Load:
        ready = list(itertools.islice(requests, int(most * seconds)))
        return put_on(port, iter(ready), status, seconds)

    warm = load(web, endpoint.requests, endpoint.status, 1)
    load(bare, endpoint.bare, 200, 1)
    taken, floors = [warm], []
    for number in range(options.rounds):
        turns: list[Callable[[], None]] = [
            lambda: taken.append(load(web, endpoint.requests, endpoint.status, options.seconds)),
            lambda: floors.append(load(bare, endpoint.bare, 200, options.seconds)),
        ]
        for turn in turns if number % 2 else reversed(turns):
            turn()
    lost = sum(one.answered for one in taken) - (on.count(endpoint.table) - before) if endpoint.table else 0
    return _figure(endpoint, taken[1:], floors, lost)


def _figure(endpoint: Endpoint, taken: list[Load], floors: list[Load], lost: int) -> Figure:
    rate = median(one.per_second for one in taken)
    ratios = [one.per_second / floor.per_second for one, floor in zip(taken, floors, strict=True)]
    ratio = median(ratios)
    return Figure(
        *("web", endpoint.name, rate, rate / ratio, "/s", "bare view"),
        least=endpoint.least,
        between=median_interval(ratios),
        broken=f"{lost} answered and not stored" if lost else "",
        details={"p99": f"{median(one.p99_ms for one in taken):.1f} ms"},
    )
