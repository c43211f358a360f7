"""`{% load directions %}`: what strangers wrote has a direction of its own (`partner_portal/core/bidi.py`)."""

import re

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_CELL = re.compile(r"^<(t[dh])\b")


@register.filter
def own_direction(cell: SafeString) -> SafeString:
    """A cell of a list of the admin's, with a direction of its own."""
    return mark_safe(_CELL.sub(r'<\1 dir="auto"', cell))  # noqa: S308 - the admin has escaped it
