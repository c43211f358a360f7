"""Detection of the time zone in which Altegio writes its times, by the newest consents (docs/altegio.md §0).

The wire names no zone. The owner's browser arrives seconds after the consent, so the difference between the consent
as written and the arrival, in quarters of an hour, is the zone's offset.
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
# How far the difference between a consent and its own arrival may be from a whole number of quarters.
APART = timedelta(minutes=7)
MAX_OFFSET = timedelta(hours=14)
# The zones to name first, in which Altegio is used most.
KNOWN = ("UTC", "Europe/Moscow", "Europe/Budapest", "Europe/Kyiv", "Europe/Lisbon", "Asia/Almaty", "Asia/Tbilisi")
MAX_NAMED = 4


@dataclass(frozen=True)
class Sample:
    """One consent: its time as written, read as UTC, and the time of its owner's arrival here."""

    written_at: datetime
    arrived_at: datetime
    location_zone: str

    @property
    def offset(self) -> timedelta | None:
        """The offset of Altegio's clock from UTC; None if the consent and the arrival do not belong together."""
        ahead = self.written_at - self.arrived_at
        rounded = QUARTER * round(ahead / QUARTER)
        return rounded if abs(ahead - rounded) <= APART and abs(rounded) <= MAX_OFFSET else None

    def fits(self, zone: str) -> bool:
        """Return whether this zone had the sample's offset at the moment of the arrival."""
        try:
            return self.arrived_at.astimezone(ZoneInfo(zone)).utcoffset() == self.offset
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return False


def newest_samples() -> list[Sample]:
    """Ask Altegio about the newest live connections, and return the samples from which an offset can be computed."""
    newest = Connection.objects.live().select_related("application", "location").order_by("-activated_at")
    found = [_sample(connection) for connection in newest[:MAX_SAMPLES]]
    return [sample for sample in found if sample is not None and sample.offset is not None]


def _sample(connection: Connection) -> Sample | None:
    answer = ask_now(status_question(connection.application, connection.location))
    as_utc, elsewhere = (read_status(answer, zone) for zone in ("UTC", "Asia/Tokyo"))
    if as_utc is None or elsewhere is None or as_utc.created_at is None:
        return None
    if as_utc.created_at == elsewhere.created_at:
        return None  # the time was written with its zone, so there is nothing to find out
    return Sample(as_utc.created_at, connection.last_arrived_at, connection.location.timezone_name)


def fitting_zones(samples: Sequence[Sample]) -> list[str]:
    """Return at most `MAX_NAMED` zones that fit every sample, the likeliest first."""
    names = [*KNOWN, *(each.location_zone for each in samples), *sorted(available_timezones())]
    fitting = (name for name in dict.fromkeys(names) if name and all(each.fits(name) for each in samples))
    return [name for name, _number in zip(fitting, range(MAX_NAMED), strict=False)]


def is_local_time(samples: Sequence[Sample]) -> bool:
    """Return whether each consent is written in its own location's time zone."""
    return bool(samples) and all(each.fits(each.location_zone) for each in samples)
