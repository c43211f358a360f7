"""Validation of telephone numbers and their normalization to E.164, with Google's libphonenumber."""

import re
from functools import lru_cache

import phonenumbers
from babel import Locale
from babel.core import get_global
from django.conf import settings
from phonenumbers import NumberParseException, PhoneNumber

from partner_portal.core.english import english as _

# Longer than any number with its extension, in whatever words.
MAX_LENGTH = 100
_EXTENSION = re.compile(r"[0-9]{2,7}")
# An extension behind a number: `ext. 12`, `x12`, `;ext=12`, `доб. 12`
_SUFFIX = re.compile(r"(?<=\d)[\s)]*+[;,]?\s*+(?:ext(?:ension)?\.?|x|доб\.?|#)\s*+=?\s*+\d{1,7}$", re.IGNORECASE)
_ALPHABETIC = re.compile(r"[^\W\d_]")
# Country names that Altegio may send beside those of CLDR.
_OTHER_NAMES = {
    "czech republic": "CZ",
    "england": "GB",
    "great britain": "GB",
    "hong kong": "HK",
    "macau": "MO",
    "palestine": "PS",
    "republic of moldova": "MD",
    "russian federation": "RU",
    "turkey": "TR",
    "uae": "AE",
    "united states of america": "US",
    "usa": "US",
}


WRITE_A_NUMBER = _("Write a telephone number, best with + and the country code: +442071838750.")
COUNTRY_UNKNOWN = _(
    "The location's country is not known, so a number without + or 00 may be anybody's: set it with "
    "PUT /api/v1/locations/{salon_id}/lines/."
)


class InvalidPhoneNumberError(ValueError):
    """Raised for a text that is no telephone number; `str()` says what to write."""


def e164(text: str, region: str | None) -> str:
    """Return `text` as E.164, without a trailing extension. Raises InvalidPhoneNumberError.

    A number without `+` or `00` is read as one of `region` (ISO 3166), or else as one that begins with its country
    code; without a region it is refused, because `9161234567` is a number in a dozen countries. If the country is
    only guessed, the number must be valid there. If it is named by the text or by `region`, the length alone must be
    right, because the library may not know the number's range yet, and a call that rings is real.
    """
    text = text.strip()
    return _e164(text if len(text) <= MAX_LENGTH else "", region)


# Cached because each call of a line repeats the line's own number.
@lru_cache(maxsize=5000)
def _e164(text: str, region: str | None) -> str:
    plain = _SUFFIX.sub("", text)
    numbers = [] if _ALPHABETIC.search(plain) else _readings(plain, region)
    number = next((number for number, _named in numbers if phonenumbers.is_valid_number(number)), None)
    number = number or next((number for number, named in numbers if named and _has_whole_length(number)), None)
    if number is None:
        raise InvalidPhoneNumberError(WRITE_A_NUMBER if region else f"{WRITE_A_NUMBER} {COUNTRY_UNKNOWN}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_extension(text: str) -> bool:
    """Return whether this is an extension, a number inside the company."""
    return _EXTENSION.fullmatch(text) is not None


def _has_whole_length(number: PhoneNumber) -> bool:
    """Return whether the number has the full length for its country, and is not one dialled within a town alone."""
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE


def _readings(plain: str, region: str | None) -> list[tuple[PhoneNumber, bool]]:
    """Return the numbers that the text may mean, each with whether its country is named."""
    if plain.startswith("+"):
        tries: list[tuple[str, str | None, bool]] = [(plain, None, True)]
    elif plain.startswith("00"):
        tries = [(plain, region, True), (f"+{plain[2:]}", None, True)]
    else:
        tries = [(plain, region, True), (f"+{plain}", None, False)] if region else []
    readings = []
    for written, where, named in tries:
        try:
            readings.append((phonenumbers.parse(written, where), named))
        except NumberParseException:
            continue
    return readings


def region_of(country: str, zone: str) -> str | None:
    """Return a location's country as an ISO 3166 code, by its name or code, or else by its time zone, or None."""
    name = country.strip().casefold()
    if len(name) == 2 and name.upper() in phonenumbers.SUPPORTED_REGIONS:
        return name.upper()
    return _names().get(name) or _region_of_zone(zone)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Return the country codes by the countries' names in all languages of the portal."""
    locales = [Locale.parse(language) for language, _name in settings.LANGUAGES]
    named = {name.casefold(): code for locale in locales for code, name in locale.territories.items()}
    countries = {name: code for name, code in named.items() if code in phonenumbers.SUPPORTED_REGIONS}
    return countries | _OTHER_NAMES


def _region_of_zone(zone: str) -> str | None:
    code: str | None = get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone))
    return code if code in phonenumbers.SUPPORTED_REGIONS else None
