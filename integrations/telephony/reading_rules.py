"""How a location's numbers, moments and extensions are read: what its owner's exchange means by them."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.conf import settings

from integrations.connections.models import Chain, Location
from integrations.telephony.models import PhoneLines
from integrations.telephony.numbers import region_of
from partner_portal.core.fast_query import Query

# Of a chain so many kinds of locations are looked at; one with more has no country in common.
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
    """`region`: ISO 3166, or None where it is not known. `zone`: of moments without one. `lines`: by extension."""

    region: str | None = None
    zone: str = ""
    lines: dict[str, str] = field(default_factory=dict)

    @property
    def time_zone(self) -> str:
        """The location's, else the application's."""
        return self.zone or settings.ALTEGIO_TIME_ZONE


def rules_of(location: Location, own: PhoneLines | None = None) -> ReadingRules:
    """What was set for a location, in `own` or the database; where nothing was, Altegio's country and zone count."""
    own = own or PhoneLines.objects.filter(location=location).first() or PhoneLines()
    zone = own.time_zone or location.timezone_name
    region = own.country or region_of(location.country, location.timezone_name)
    return ReadingRules(region, known_zone(zone), own.lines)


def rules_of_chain(chain: Chain) -> ReadingRules:
    """Return what all its locations have in common: who names the chain alone does not say which of them it is."""
    kinds = _kinds_in.all(chain.pk)
    regions = {own or region_of(country, zone) for country, zone, own, _own_zone in kinds}
    zones = {known_zone(own_zone or zone) for _country, zone, _own, own_zone in kinds}
    regions, zones = regions - {None}, zones - {""}
    return ReadingRules(
        regions.pop() if len(regions) == 1 and len(kinds) < MAX_KINDS else None,
        zones.pop() if len(zones) == 1 and len(kinds) < MAX_KINDS else "",
    )


def known_zone(name: str) -> str:
    """The name, if there is such a time zone; else ""."""
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return ""
    return name
