"""The rules by which phone numbers, date-times and extensions from a location's exchange are interpreted."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.conf import settings

from integrations.connections.models import Chain, Location
from integrations.telephony.models import PhoneLines
from integrations.telephony.numbers import region_of
from partner_portal.core.fast_query import Query

# How many distinct combinations of country and time zone are read for a chain; one with more shares no country.
MAX_KINDS = 20


_kinds_in = Query(
    lambda chain: (
        Location.objects.filter(chain=chain)
        .values_list("country", "timezone_name", "phone_lines__country", "phone_lines__time_zone")
        .order_by()
        .distinct()[:MAX_KINDS]
    )
)


@dataclass(frozen=True)
class ReadingRules:
    """The country (`region`), the time zone (`zone`) and the numbers by extension (`lines`) that a call is read with.

    `region` is an ISO 3166 code, or None where the country is unknown. `zone` applies to date-times that name none.
    """

    region: str | None = None
    zone: str = ""
    lines: dict[str, str] = field(default_factory=dict)

    @property
    def time_zone(self) -> str:
        """The location's time zone, else `ALTEGIO_TIME_ZONE`."""
        return self.zone or settings.ALTEGIO_TIME_ZONE


def rules_of(location: Location, own: PhoneLines | None = None) -> ReadingRules:
    """Return a location's rules: what was set in `own` or the database, else the country and zone from Altegio."""
    own = own or PhoneLines.objects.filter(location=location).first() or PhoneLines()
    zone = own.time_zone or location.timezone_name
    region = own.country or region_of(location.country, location.timezone_name)
    return ReadingRules(region, known_zone(zone), own.lines)


def rules_of_chain(chain: Chain) -> ReadingRules:
    """Return the rules that all locations of a chain share, for a call that names the chain alone."""
    kinds = _kinds_in.all(chain.pk)
    regions = {own or region_of(country, zone) for country, zone, own, _own_zone in kinds}
    zones = {known_zone(own_zone or zone) for _country, zone, _own, own_zone in kinds}
    regions, zones = regions - {None}, zones - {""}
    return ReadingRules(
        regions.pop() if len(regions) == 1 and len(kinds) < MAX_KINDS else None,
        zones.pop() if len(zones) == 1 and len(kinds) < MAX_KINDS else "",
    )


def known_zone(name: str) -> str:
    """Return the name if such a time zone exists, else ""."""
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return ""
    return name
