"""Finding a telephone number in whatever form it was typed, here and there: by how its digits end."""

import re
from typing import Any

import phonenumbers
from django.db.models import CharField, F, Func, Q
from django.db.models.functions import Reverse
from django.db.models.lookups import StartsWith
from phonenumbers import NumberParseException

# What a country writes before a number (0, 8, 00, its code) varies; the last nine digits do not.
SIGNIFICANT = 9
# Fewer are a location's number, or the end of a hundred others.
MIN_DIGITS = 6
MIN_BARE_DIGITS = 9
_PHONE = re.compile(r"(?:tel:)?[+(\d][\d\s()./\-\u2010-\u2015\u00a0]*", re.IGNORECASE)
_SEPARATORS = " -()./+\u00a0"


class Digits(Func):
    """A text's digits alone."""

    function = "REGEXP_REPLACE"
    template = "REGEXP_REPLACE(%(expressions)s, '[^0-9]', '', 'g')"
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """SQLite replaces no pattern: what numbers are written with is taken out sign by sign."""
        template = "%(expressions)s"
        for sign in _SEPARATORS:
            template = f"REPLACE({template}, '{sign}', '')"
        return self.as_sql(compiler, connection, template=template, **extra)


def phone_ending(text: str) -> str:
    """The digits that a number like this ends with in every form it is written in; "" where it is none.

    Digits alone are a number from nine on, or with a 0 in front: shorter ones are a location's.
    """
    plain = text.strip()
    if not _PHONE.fullmatch(plain):
        return ""
    digits = re.sub(r"\D", "", plain)
    is_international = plain.startswith("+") or digits.startswith("00")
    significant = _national(digits.removeprefix("00")) if is_international else digits.lstrip("0")
    least = MIN_BARE_DIGITS if plain == significant else MIN_DIGITS
    return significant[-SIGNIFICANT:] if len(significant) >= least else ""


def _national(digits: str) -> str:
    """Without the code of its country, which who calls from there leaves out."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(f"+{digits}"))
    except NumberParseException:
        return digits


def ends_like(column: str, ending: str) -> Q:
    """Rows whose number ends so; PostgreSQL finds them by the index of `phone_index`."""
    return Q(StartsWith(Reverse(Digits(F(column))), ending[::-1]))
