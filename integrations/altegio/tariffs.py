"""What the owner can buy at Altegio itself: the options of an application's tariffs, and their payment links."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.altegio.answers import Answer, as_decimal, line_of, objects_of
from integrations.altegio.wire import parse_id


@dataclass(frozen=True)
class RemoteOption:
    """One way to pay through Altegio: an option of one of the application's tariffs."""

    id: int
    tariff_title: str
    title: str
    price: Decimal | None
    currency: str
    months: int | None
    staff_amount: int | None  # for this many staff members; None means any number
    free_months: int | None  # in addition to the paid ones


def read_tariff_options(answer: Answer) -> list[RemoteOption] | None:
    """Return all options of all tariffs, except those without a readable id. None if the answer is not a list."""
    if not isinstance(answer.data, list):
        return None
    return [
        RemoteOption(
            id=option_id,
            tariff_title=line_of(tariff.get("title")),
            title=line_of(option.get("title")),
            price=_price(option.get("overall_price")),
            currency=line_of(option.get("currency_iso"))[:3],
            months=_months(option.get("duration_in_months")),
            staff_amount=_count(option.get("staff_amount"), 10**6),
            free_months=_months(option.get("free_period_in_months")),
        )
        for tariff in objects_of(answer.data)
        for option in objects_of(tariff.get("options"))
        if (option_id := parse_id(option.get("id"))) is not None
    ]


def _price(value: Any) -> Decimal | None:
    price = as_decimal(value)
    return price if price is not None and 0 <= price < 10**11 else None


def _months(value: Any) -> int | None:
    return _count(value, 1200)


def _count(value: Any, less_than: int) -> int | None:
    """Return a whole number above zero and below `less_than`, or None: a zero means that there is none."""
    count = parse_id(value)
    return count if count is not None and count < less_than else None


def read_link(answer: Answer) -> str:
    """Return the address of a payment link; "" if the answer holds none that a browser may open."""
    url = answer.data.get("url") if isinstance(answer.data, dict) else None
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= 2000 else ""
