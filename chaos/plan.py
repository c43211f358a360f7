"""The plan of a seed: who does what, and what breaks when. Pure data; the same seed gives the same plan.

How the portal's processes interleave is not part of it: they are real.
"""

import random
from dataclasses import dataclass, field, replace
from typing import Any

SMS, TELEPHONY = 1, 2
# Seconds within which the owners arrive.
ARRIVALS_LAST = 3.0
# Faults happen between the stories' first step and this share of all steps.
LAST_FAULT = 0.9
# If the clock is set, the portal tolerates a difference of a minute (`ALTEGIO_CLOCK_TOLERANCE`), which is more.
LARGEST_OFFSET = 45
# The portal's processes, and the probability that each is killed in a seed.
DIES = {"web": 0.35, "worker-1": 0.5, "worker-2": 0.5, "beat": 0.15}
# The number of locations of a seed; most seeds have few.
SMALLEST, LARGEST = 100, 300


@dataclass(frozen=True)
class Act:
    """One action at one location of a story, after a pause of so many seconds."""

    name: str
    place: int  # the index of one of the story's locations
    pause: float
    number: int  # unique in the seed; values that must differ are derived from it
    chance: float  # in [0, 1); decides what the act leaves open


@dataclass(frozen=True)
class StoryPlan:
    """An owner and the partner's systems around them: the arrival, then the acts, one after another."""

    number: int
    application: int
    locations: int
    starts_at: float
    # "signed", "sign-up", "late" (the consent's hour is over) or "beset" (rivals want the same locations).
    arrival: str
    acts: tuple[Act, ...]
    # For "beset": whether the rivals come before the owner, and whether staff decide after the window.
    rivals_first: bool = True
    decided_late: bool = False


@dataclass(frozen=True)
class Fault:
    """A fault that begins once the share `at` of all steps is done, and lasts for a moment (0) or so many seconds.

    A fault of Altegio's lasts for a share of the steps, until none is done for a while, or until it has been applied
    as often as `detail` says.
    """

    target: str
    name: str
    at: float
    lasts: float = 0.0
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The plan of a whole seed."""

    seed: int
    altegio: dict[str, Any]  # values for the sandbox's settings
    stories: tuple[StoryPlan, ...]
    faults: tuple[Fault, ...]

    def with_upgrade(self) -> "Plan":
        """Return the same plan with an upgrade to this version in the middle; nothing else ends a process."""
        kept = [fault for fault in self.faults if fault.target not in (*DIES, "postgres")]
        return replace(self, faults=(*kept, Fault("upgrade", "release", at=0.4)))

    @property
    def sets_clock(self) -> bool:
        """Whether the processes need a clock that can be set, which makes them slow."""
        return any(fault.target == "clock" for fault in self.faults)

    @property
    def locations(self) -> int:
        return sum(story.locations for story in self.stories)


def draw(seed: int, *, smallest: int = SMALLEST, largest: int = LARGEST) -> Plan:
    """Return the plan of a seed, with about so many locations."""
    rng = random.Random(seed)
    altegio = {
        "gone_answer": rng.choice(["404", "empty"]),
        "list_frozen": rng.random() < 0.7,
        "numbers_as_strings": rng.random() < 0.3,
        "arrival_form": rng.choice(["brackets", "comma", "indexed"]),
        "callback_copies": rng.choice([1, 1, 2, 3, 0]),
        "callback_delay": rng.choice([0.0, 0.0, 0.5, 2.0]),
    }
    # Mostly small, rarely large.
    wanted = int(smallest + (largest - smallest) * rng.random() ** 5)
    return Plan(seed, altegio, tuple(_stories(rng, wanted)), tuple(_faults(rng)))


def _stories(rng: random.Random, wanted: int) -> list[StoryPlan]:
    stories: list[StoryPlan] = []
    while (left := wanted - sum(story.locations for story in stories)) > 0:
        number = len(stories)
        size = 1 if rng.random() < 0.45 else min(left, rng.choice([2, 3, 5, 8, 13, 30, 60]))
        # The third owner comes too late; rivals want the locations of the fourth and the sixth.
        arrival = {1: "sign-up", 2: "late", 3: "beset", 4: "sign-up", 5: "beset"}.get(number, "signed")
        size = min(size, 3) if arrival in ("late", "beset") else size
        application = TELEPHONY if rng.random() < 0.3 else SMS
        acts = () if arrival == "late" else tuple(_acts(rng, number, application, size))
        starts_at = rng.uniform(0, ARRIVALS_LAST)
        luck = (rng.random() < 0.5, rng.random() < 0.3)
        stories.append(StoryPlan(number, application, size, starts_at, arrival, acts, *luck))
    return stories


ACTS = {
    SMS: ("pay", "pay", "refund", "names", "names", "statuses", "statuses", "freeze", "uninstall", "disconnect"),
    TELEPHONY: ("notify", "notify", "save_call", "save_call", "pay", "refund", "freeze", "uninstall", "disconnect"),
}
ENDS = ("uninstall", "disconnect")
STRAY = ("false_callback", "event", "poison")


def _acts(rng: random.Random, story: int, application: int, size: int) -> list[Act]:
    acts: list[Act] = []
    gone: set[int] = set()

    def add(name: str, place: int) -> None:
        number = story * 100 + len(acts)
        acts.append(Act(name, place, round(rng.expovariate(4), 2), number, rng.random()))

    for _ in range(rng.randint(2, 7)):
        place = rng.randrange(min(size, 3))
        name = rng.choice(ACTS[application] + STRAY)
        if place in gone:
            add("reconnect", place)
            gone.discard(place)
        add(name, place)
        if name in ENDS:
            if rng.random() < 0.7:
                add("reconnect", place)
            else:
                gone.add(place)
    if size > 3 and rng.random() < 0.5:
        # No other act happens at the last location.
        add(rng.choice(["stranger", "sell"]), size - 1)
    return acts


ALTEGIO_DAYS: tuple[dict[str, Any], ...] = (
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 502, "body": "<html><h1>Bad gateway</h1></html>"},
    {"kind": "error", "status": 503},
    {"kind": "error", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "error_after", "status": 500},
    {"kind": "html_after"},
    {"kind": "broken_json_after"},
    {"kind": "redirect_after"},
    {"kind": "gateway_timeout", "seconds": 1.8},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "delay", "seconds": 0.4},
    {"kind": "delay", "seconds": 1.8},
    {"kind": "delay_after", "seconds": 1.8},
    {"kind": "trickle_head_after", "seconds": 0.2},
    {"kind": "trickle_body_after", "seconds": 0.2},
    {"kind": "early_hints_after"},
    {"kind": "endless_100_after"},
    {"kind": "leftover_after"},
    {"kind": "late_close_after"},
    {"kind": "broken_location_after"},
    {"kind": "large_redirect_after"},
    {"kind": "bad_text_after"},
    {"kind": "bad_number_after"},
    {"kind": "error_after", "status": 500, "body": '{"meta": {"message": "\\ud83d \\u0000"}, "x": 1E+999999999}'},
    {"kind": "error_after", "status": 200, "body": '{"success": true, "data": ' + "[" * 980 + "]" * 980 + "}"},
)
CALLS = ("activate", "activate", "status", "payment", "refund", "short_names", "sms_statuses", "voip", "uninstall")


def _faults(rng: random.Random) -> list[Fault]:
    faults = [_bad_day(rng) for _ in range(rng.randint(3, 9))]
    for target, chance in DIES.items():
        if rng.random() < chance:
            at = rng.uniform(0, LAST_FAULT)
            faults.append(Fault(target, "killed", at, rng.choice([0.0, 0.5, 2.0])))
    if rng.random() < 0.5:
        name = rng.choice(["emptied", "killed", "hangs"])
        lasts = 0.0 if name == "emptied" else rng.uniform(0.5, 2.5)
        faults.append(Fault("redis", name, rng.uniform(0, LAST_FAULT), lasts))
    if rng.random() < 0.4:
        faults.append(Fault("mail", "silent", rng.uniform(0, LAST_FAULT), rng.uniform(2.0, 20.0)))
    if rng.random() < 0.4:
        faults.append(Fault("postgres", "restarted", rng.uniform(0, LAST_FAULT)))
    for _ in range(rng.randint(0, 3)):
        mood = rng.choice(["refuses", "closes", "silent"])
        faults.append(Fault("partner", mood, rng.uniform(0, LAST_FAULT), rng.uniform(1.0, 12.0)))
    if rng.random() < 0.15:
        for at in sorted(rng.uniform(0, LAST_FAULT) for _ in range(rng.randint(1, 2))):
            offset = rng.choice([-LARGEST_OFFSET, -20, -5, 5, 20, LARGEST_OFFSET])
            faults.append(Fault("clock", "jumps", at, detail={"offset": offset}))
    return sorted(faults, key=lambda fault: fault.at)


def _bad_day(rng: random.Random) -> Fault:
    call = "*" if rng.random() < 0.25 else rng.choice(CALLS)
    detail = {**rng.choice(ALTEGIO_DAYS), "call": call, "remaining": rng.randint(1, 12)}
    return Fault("altegio", detail["kind"], rng.uniform(0, LAST_FAULT), rng.uniform(0.05, 0.4), detail)
