"""Search for telephone numbers by their last digits, in whatever form they are stored or typed."""

import re
from typing import Any

import phonenumbers
from django.db.models import CharField, F, Func, Q
from django.db.models.functions import Reverse
from django.db.models.lookups import StartsWith
from phonenumbers import NumberParseException

# The prefix of a number varies (0, 8, 00, the country's code); its last nine digits do not.
SIGNIFICANT = 9
# Shorter ones are a location's id, or match a hundred numbers.
MIN_DIGITS = 6
MIN_BARE_DIGITS = 9
_PHONE = re.compile(r"(?:tel:)?[+(\d][\d\s()./\-\u2010-\u2015\u00a0]*", re.IGNORECASE)
_SEPARATORS = " -()./+\u00a0"


class Digits(Func):
    """Only the digits of a text."""

    function = "REGEXP_REPLACE"
    template = "REGEXP_REPLACE(%(expressions)s, '[^0-9]', '', 'g')"
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Remove the usual separators one by one, because SQLite cannot replace a pattern."""
        template = "%(expressions)s"
        for sign in _SEPARATORS:
            template = f"REPLACE({template}, '{sign}', '')"
        return self.as_sql(compiler, connection, template=template, **extra)


def phone_ending(text: str) -> str:
    """Return the last digits that a telephone number has in every form of writing; "" if `text` is not a number.

    Bare digits count from nine on, or if they begin with 0: shorter ones are a location's id.
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
    """Return the number without its country code, which callers inside the country leave out."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(f"+{digits}"))
    except NumberParseException:
        return digits


def ends_like(column: str, ending: str) -> Q:
    """Return the condition that the number in `column` ends with `ending`; PostgreSQL uses `phone_index` for it."""
    return Q(StartsWith(Reverse(Digits(F(column))), ending[::-1]))
