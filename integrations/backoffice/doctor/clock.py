"""Which zone Altegio writes its times in: the newest consents beside our own clock (docs/altegio.md §0).

The wire names no zone. The owner's browser arrives seconds after the consent, so how far the one is written from the
other tells it, in quarters of an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from integrations.altegio.answers import read_status
from integrations.connections.models import Connection
from integrations.outbox.direct_requests import ask_now
from integrations.status_sync.question import status_question

MAX_SAMPLES = 3
QUARTER = timedelta(minutes=15)
# Between a consent and its arrival; what lies further apart were not neighbours.
APART = timedelta(minutes=7)
MAX_OFFSET = timedelta(hours=14)
# Zones to name first: those in which Altegio works most.
KNOWN = ("UTC", "Europe/Moscow", "Europe/Budapest", "Europe/Kyiv", "Europe/Lisbon", "Asia/Almaty", "Asia/Tbilisi")
MAX_NAMED = 4


@dataclass(frozen=True)
class Sample:
    """One consent: as written, read as if it were UTC; and when its owner arrived here."""

    written_at: datetime
    arrived_at: datetime
    location_zone: str

    @property
    def offset(self) -> timedelta | None:
        """How far Altegio's clock stands ahead of UTC; None where the two moments were no neighbours."""
        ahead = self.written_at - self.arrived_at
        rounded = QUARTER * round(ahead / QUARTER)
        return rounded if abs(ahead - rounded) <= APART and abs(rounded) <= MAX_OFFSET else None

    def fits(self, zone: str) -> bool:
        """Return whether Altegio's clock stood there as this zone's does at that moment."""
        try:
            return self.arrived_at.astimezone(ZoneInfo(zone)).utcoffset() == self.offset
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return False


def newest_samples() -> list[Sample]:
    """Altegio is asked about the connections that came last; those whose consent says nothing are left out."""
    newest = Connection.objects.live().select_related("application", "location").order_by("-activated_at")
    found = [_sample(connection) for connection in newest[:MAX_SAMPLES]]
    return [sample for sample in found if sample is not None and sample.offset is not None]


def _sample(connection: Connection) -> Sample | None:
    answer = ask_now(status_question(connection.application, connection.location))
    as_utc, elsewhere = (read_status(answer, zone) for zone in ("UTC", "Asia/Tokyo"))
    if as_utc is None or elsewhere is None or as_utc.created_at is None:
        return None
    if as_utc.created_at == elsewhere.created_at:
        return None  # written with its zone: nothing to find out
    return Sample(as_utc.created_at, connection.last_arrived_at, connection.location.timezone_name)


def fitting_zones(samples: Sequence[Sample]) -> list[str]:
    """The zones that fit every sample, the likeliest first; only a few are named."""
    names = [*KNOWN, *(each.location_zone for each in samples), *sorted(available_timezones())]
    fitting = (name for name in dict.fromkeys(names) if name and all(each.fits(name) for each in samples))
    return [name for name, _number in zip(fitting, range(MAX_NAMED), strict=False)]


def is_local_time(samples: Sequence[Sample]) -> bool:
    """Return whether each consent is written in its own location's time."""
    return bool(samples) and all(each.fits(each.location_zone) for each in samples)
