"""The plan: which business came when, what it pays, and how it ends. It is the same at every run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

SMS, TELEPHONY, CHAT = 1, 2, 3
DAY = timedelta(days=1)
MONTH = 30 * DAY
TRIAL = 14 * DAY
HALF_A_YEAR = 178
# The price of a month, by currency.
PRICES = {"GBP": 24.9, "KZT": 11_900, "HUF": 9_900, "BRL": 149.9, "PLN": 119, "EUR": 29.9}
# How many months are paid at once, and the share of the price that is then paid.
TERMS = ((1, 1.0), (3, 0.95), (3, 0.95), (12, 0.8), (12, 0.8))

Place = tuple[int, int]  # Altegio's ids of an application and a location


@dataclass(frozen=True)
class Business:
    """An owner of the sandbox's crowd, with their locations (`POST /_sandbox/crowd`)."""

    user_id: int
    salon_ids: Sequence[int]
    salon_group_id: int | None
    country: str
    currency: str


@dataclass(frozen=True)
class Paid:
    """A payment that was made so long ago."""

    ago: timedelta
    months: int
    amount: str
    currency: str
    is_refunded: bool = False


@dataclass(frozen=True)
class Story:
    """One application at one location. All times say how long ago."""

    place: Place
    came: timedelta
    payments: tuple[Paid, ...] = ()
    frozen: timedelta | None = None
    left: timedelta | None = None

    @property
    def stays(self) -> bool:
        return self.frozen is None and self.left is None


@dataclass(frozen=True)
class Arriving:
    """A business that presses Connect for all its locations at once."""

    business: Business
    application: int
    stories: tuple[Story, ...]


@dataclass(frozen=True)
class Plan:
    """The arrivals that go well, oldest first, and the businesses of one location that show everything else."""

    arrivals: list[Arriving]
    adopted: list[Business] = field(default_factory=list)
    unknown: list[Business] = field(default_factory=list)
    refused: list[Business] = field(default_factory=list)
    expired: list[Business] = field(default_factory=list)
    late: list[Business] = field(default_factory=list)
    disputed: list[Business] = field(default_factory=list)
    unfinished: list[Business] = field(default_factory=list)

    @property
    def stories(self) -> list[Story]:
        return [story for arriving in self.arrivals for story in arriving.stories]

    @property
    def stuck(self) -> list[Business]:
        """The businesses whose activation Altegio does not answer."""
        return [*self.expired, *self.late, *self.disputed]


# How many businesses of one location do not go well, and in which way.
OTHERWISE = {"adopted": 6, "unknown": 2, "refused": 4, "expired": 3, "late": 2, "disputed": 2, "unfinished": 3}


def make_plan(businesses: Sequence[Business]) -> Plan:
    """Return the plan: all businesses come for text messages, chains often for telephony, some for the chat bot."""
    chance = Random(len(businesses))
    alone = [business for business in businesses if len(business.salon_ids) == 1]
    odd: dict[str, list[Business]] = {}
    for name, count in OTHERWISE.items():
        # A small crowd has fewer of each.
        count = min(count, len(alone) // 12)
        odd[name], alone = alone[:count], alone[count:]
    otherwise = {business.user_id for group in odd.values() for business in group}
    going_well = [business for business in businesses if business.user_id not in otherwise]
    arrivals = [arriving for business in going_well for arriving in _arrivals(business, chance)]
    return Plan(sorted(arrivals, key=lambda each: each.stories[0].came, reverse=True), **odd)


def _arrivals(business: Business, chance: Random) -> list[Arriving]:
    came = DAY * round(HALF_A_YEAR * chance.random() ** 1.4)
    found = [_arriving(business, SMS, came, chance)]
    if business.salon_group_id and chance.random() < 0.4:
        found.append(_arriving(business, TELEPHONY, came * chance.random(), chance))
    if chance.random() < 0.08:
        found.append(_arriving(business, CHAT, came * chance.random(), chance))
    return found


def _arriving(business: Business, application: int, came: timedelta, chance: Random) -> Arriving:
    # Spread the arrivals over the working day.
    came = came + timedelta(minutes=chance.randint(0, 600))
    stories = (_story((application, salon_id), came, business.currency, chance) for salon_id in business.salon_ids)
    return Arriving(business, application, tuple(stories))


def _story(place: Place, came: timedelta, currency: str, chance: Random) -> Story:
    story = Story(place, came)
    first = came - TRIAL
    if first <= timedelta():
        return replace(story, left=came / 3) if chance.random() < 0.04 else story
    if chance.random() < 0.28:
        return _never_pays(story, first, chance)
    months, share = chance.choice(TERMS)
    stops_after = 99 if chance.random() < 0.75 else chance.randint(1, 3)
    amount = f"{PRICES[currency] * months * share:.2f}"
    moments = [first - MONTH * months * number for number in range(min(stops_after, 6 // months + 1))]
    paid = tuple(Paid(ago, months, amount, currency) for ago in moments if ago > timedelta())
    ends = paid[-1].ago - MONTH * months
    if ends > DAY:
        return _ends(replace(story, payments=paid), ends, chance)
    if chance.random() < 0.04:
        paid = (*paid[:-1], replace(paid[-1], is_refunded=True))
    return replace(story, payments=paid)


def _never_pays(story: Story, trial_ended: timedelta, chance: Random) -> Story:
    if trial_ended <= DAY:
        return story
    return _ends(story, trial_ended, chance)


def _ends(story: Story, unpaid_since: timedelta, chance: Random) -> Story:
    """Return the story with its end: Altegio freezes it the day after, and most disconnect sooner or later."""
    frozen = unpaid_since - DAY
    left = frozen * chance.random() * 0.9
    return replace(story, frozen=frozen, left=left if chance.random() < 0.55 else None)
