"""Validation and storage of a location's line settings: its country, its time zone and its extensions' numbers."""

import re
from collections.abc import Mapping
from typing import Any

import phonenumbers

from integrations.connections.models import Location
from integrations.telephony.models import PhoneLines
from integrations.telephony.numbers import InvalidPhoneNumberError, e164
from integrations.telephony.reading_rules import known_zone, rules_of
from partner_portal.core.english import english as _

MAX_LINES = 1000
FIELDS = frozenset({"country", "time_zone", "lines"})
_EXTENSION = re.compile(r"[\w.+*#-]{1,20}")
Problems = dict[str, Any]


class InvalidLinesError(ValueError):
    """Raised for invalid line settings; `problems` says for each field what to write."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("These lines cannot be set.")
        self.problems = problems


def set_lines(location: Location, raw: Mapping[str, Any]) -> None:
    """Replace a location's line settings. A country or zone that is missing or null means the location's own.

    Raises InvalidLinesError without changing anything.
    """
    problems: Problems = {name: [_("There is no such field.")] for name in sorted(raw.keys() - FIELDS)}
    country, time_zone = raw.get("country") or "", raw.get("time_zone") or ""
    if country and (not isinstance(country, str) or country.upper() not in phonenumbers.SUPPORTED_REGIONS):
        problems["country"] = [_("Write a country's code of two letters (ISO 3166), like HU, or null.")]
    if time_zone and (not isinstance(time_zone, str) or not known_zone(time_zone)):
        problems["time_zone"] = [_("Write the name of a time zone, like Europe/Budapest, or null.")]
    if problems:
        raise InvalidLinesError(problems)
    region = country.upper() or rules_of(location, PhoneLines()).region
    fields = {"country": country.upper(), "time_zone": time_zone, "lines": _read_lines(raw.get("lines"), region)}
    PhoneLines.objects.update_or_create(location=location, defaults=fields)


def _read_lines(raw: object, region: str | None) -> dict[str, str]:
    """Return the E.164 number of each extension. Raises InvalidLinesError."""
    if raw is None:
        return {}
    if not isinstance(raw, dict) or len(raw) > MAX_LINES:
        raise InvalidLinesError({"lines": [_('Write an object of at most 1000 extensions: {"101": "+36…"}.')]})
    lines, problems = {}, Problems()
    for extension, number in raw.items():
        try:
            lines[extension] = _read_line(extension, number, region)
        except InvalidPhoneNumberError as why:
            problems[extension[:40]] = [str(why)]
    if problems:
        raise InvalidLinesError({"lines": problems})
    return lines


def _read_line(extension: str, number: object, region: str | None) -> str:
    if not _EXTENSION.fullmatch(extension):
        raise InvalidPhoneNumberError(_("Write an extension of at most 20 letters, digits and . + * # -."))
    return e164(number if isinstance(number, str) else "", region)
