"""`{% load formats %}`: the filters of `partner_portal/core/formats.py`; of nothing they make nothing."""

from datetime import date, datetime
from decimal import Decimal

from django import template

from partner_portal.core import formats

register = template.Library()


@register.filter
def money(amount: Decimal | int | None, currency: str) -> str:
    """`{{ amount|money:currency }}`: the amount in its currency."""
    return "" if amount is None else formats.money(amount, currency)


@register.filter
def number(value: Decimal | int | None) -> str:
    """`{{ count|number }}`: a number with the language's separators."""
    return "" if value is None else formats.number(value)


@register.filter
def day(when: date | datetime | None) -> str:
    """`{{ when|day }}`: a date in words."""
    return "" if when is None else formats.day(when)


@register.filter
def moment(when: datetime | None, zone: str = "") -> str:
    """`{{ when|moment }}` or `{{ when|moment:location.timezone_name }}`: date, time and zone."""
    return "" if when is None else formats.moment(when, zone)
