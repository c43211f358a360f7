"""`{% load formats %}`: the filters of `partner_portal/core/formats.py`; None becomes ""."""

from datetime import date, datetime
from decimal import Decimal

from django import template

from partner_portal.core import formats

register = template.Library()


@register.filter
def money(amount: Decimal | int | None, currency: str) -> str:
    """Format an amount in its currency: `{{ amount|money:currency }}`."""
    return "" if amount is None else formats.money(amount, currency)


@register.filter
def number(value: Decimal | int | None) -> str:
    """Format a number with the language's separators: `{{ count|number }}`."""
    return "" if value is None else formats.number(value)


@register.filter
def day(when: date | datetime | None) -> str:
    """Format a date in words: `{{ when|day }}`."""
    return "" if when is None else formats.day(when)


@register.filter
def moment(when: datetime | None, zone: str = "") -> str:
    """Format date, time and zone: `{{ when|moment }}` or `{{ when|moment:location.timezone_name }}`."""
    return "" if when is None else formats.moment(when, zone)
