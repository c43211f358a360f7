"""Formatting of money, dates, times and numbers in the reader's language (CLDR, through Babel).

The language is the active one, chosen by `partner_portal/core/languages.py`. The time zone is the given one, for
example the location's, else Django's current one. Staff pages use Django's own formats.
"""

import copy
import re
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from iso4217 import Currency

# CLDR takes a bare "en" for American English and a bare "pt" for Brazilian Portuguese.
_REGIONS = {"en": "en_GB", "pt": "pt_PT"}
_NO_BREAK = "\u00a0"


def money(amount: Decimal | int, currency: str) -> str:
    """Return the amount with its currency and the currency's number of decimals by ISO 4217; CLDR's numbers differ.

    A code that ISO 4217 does not know keeps the amount's own decimals.
    """
    locale, pattern = _locale(), copy.copy(_locale().currency_formats["standard"])
    exact = Decimal(amount)
    digits = _digits(currency)
    if digits is None:
        digits = max(0, -int(exact.as_tuple().exponent))
    pattern.frac_prec = (digits, digits)
    text: str = pattern.apply(exact, locale, currency=currency, currency_digits=False)
    # CLDR puts a space between a currency code and the number, though not after a symbol; Babel does not.
    return re.sub(rf"({re.escape(currency)})(?=\d)", rf"\1{_NO_BREAK}", text)


def number(value: Decimal | int) -> str:
    """Return a number with the language's separators."""
    return numbers.format_decimal(value, locale=_locale())


def day(when: date | datetime) -> str:
    """Return a date in words: "21 November 2026", "2026. november 21."."""
    local = _local(when) if isinstance(when, datetime) else when
    return dates.format_date(local, "long", locale=_locale())


def clock(when: datetime, zone: str = "") -> str:
    """Return a time of day with its zone: "13:05 UTC", "14:05 UTC+1"."""
    local = _local(when, zone)
    return f"{dates.format_time(local, 'short', locale=_locale())}{_NO_BREAK}{_zone_name(local)}"


def moment(when: datetime, zone: str = "") -> str:
    """Return date, time and zone: "21 November 2026, 13:05 UTC". `zone` is an IANA name, best the location's."""
    local, locale = _local(when, zone), _locale()
    glue = str(locale.datetime_formats["medium"])
    return glue.replace("{1}", dates.format_date(local, "long", locale=locale)).replace("{0}", clock(when, zone))


@cache
def _locale_of(language: str) -> Locale:
    return Locale.parse(_REGIONS.get(language, language))


def _locale() -> Locale:
    return _locale_of(get_language() or settings.LANGUAGE_CODE)


@cache
def _digits(currency: str) -> int | None:
    try:
        exponent: int | None = Currency(currency).exponent
    except ValueError:
        return None
    return exponent


def _local(when: datetime, zone: str = "") -> datetime:
    return timezone.localtime(when, _zone(zone)) if timezone.is_aware(when) else when


def _zone(name: str) -> tzinfo:
    """Return the time zone of this name, or Django's current one if the name from Altegio is empty or unknown."""
    if not name:
        return timezone.get_current_timezone()
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return timezone.get_current_timezone()


def _zone_name(local: datetime) -> str:
    """Return a short zone name that is the same in every language: "UTC", "UTC+1", "UTC−3:30"."""
    minutes = int((local.utcoffset() or timedelta()).total_seconds() // 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}{f':{rest:02}' if rest else ''}"
