"""Money: an exact decimal amount in an ISO 4217 currency, with that currency's number of decimals."""

import re
from decimal import Decimal

from iso4217 import Currency

# SQLite stores a decimal as a double, which is exact up to 15 digits: 11 before the point, 4 after it.
MAX_DIGITS, MAX_DECIMALS = 15, 4
_AMOUNT = re.compile(rf"[0-9]{{1,{MAX_DIGITS - MAX_DECIMALS}}}(?:\.([0-9]+))?")

# Gold, test codes and the like have no number of decimals, so nothing is paid in them.
CURRENCIES: dict[str, int] = {
    str(currency.code): currency.exponent for currency in Currency if currency.exponent is not None
}


# Discounts in hundredths of a per cent, as Altegio takes them (docs/altegio.md §2).
PERCENT_DIGITS, PERCENT_DECIMALS = 5, 2


class InvalidMoneyError(ValueError):
    """Raised when the text is no amount of this currency; `str()` says why."""


def decimals_of(currency: str) -> int:
    """Return how many decimals the currency has (ISO 4217): 2 for EUR, 0 for JPY, 3 for KWD."""
    return CURRENCIES[currency]


def read_amount(text: str, currency: str) -> Decimal:
    """Read an amount in plain digits: no sign, no exponent, no more decimals than the currency has.

    Raises InvalidMoneyError.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise InvalidMoneyError('Write the amount in plain digits, for example "990.99".')
    most = decimals_of(currency)
    if len(match[1] or "") > most:
        raise InvalidMoneyError(f"{currency} has {most} decimals.")
    return exact(Decimal(text), currency)


def plain_percent(percent: Decimal) -> Decimal:
    """Return the percentage without trailing zeros, as it is sent and shown: 10.00 as 10, 15.50 as 15.5."""
    trimmed = percent.normalize()
    return trimmed.quantize(Decimal(1)) if trimmed == trimmed.to_integral_value() else trimmed


def exact(amount: Decimal, currency: str) -> Decimal:
    """Return the amount with exactly the currency's decimals, as it is sent and shown."""
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)))
