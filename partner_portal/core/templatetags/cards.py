"""`{% load cards %}`: labels for the cells of admin lists, whose rows are shown as cards on a phone."""

import re
from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_CELL = re.compile(r"^<(t[dh])\b")


@register.filter
def labelled(row: Iterable[SafeString], headers: list[dict[str, Any]]) -> list[SafeString]:
    """Return a row's cells, each with its column's heading as `data-label` and with its own text direction."""
    # A hidden field of the form may follow the cells, so there may be fewer headings than cells.
    texts = [str(header["text"]) for header in headers]
    return [_labelled(cell, texts[place] if place < len(texts) else "") for place, cell in enumerate(row)]


def _labelled(cell: SafeString, heading: str) -> SafeString:
    label = format_html(' data-label="{}"', heading.capitalize()) if heading and "<" not in heading else ""
    return mark_safe(_CELL.sub(rf'<\1 dir="auto"{label}', cell))  # noqa: S308 - the admin has escaped it
