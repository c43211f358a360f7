"""`{% load readable %}`: read-only fields of the admin in a readable form, above all JSON columns."""

import json
from typing import Any

from django import template
from django.contrib.admin.helpers import AdminReadonlyField
from django.core.exceptions import FieldDoesNotExist
from django.db.models import JSONField
from django.utils.html import format_html
from django.utils.safestring import SafeString

from partner_portal.core.masking import mask

register = template.Library()


@register.filter
def readable(shown: AdminReadonlyField) -> SafeString | str:
    """Format a read-only field: JSON laid out with its secrets masked, floats cut, all else as the admin does."""
    name, row = shown.field["field"], shown.form.instance
    try:
        column = row._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        column = None
    value = getattr(row, column.name, None) if column else None
    if isinstance(column, JSONField):
        return laid_out(value)
    return f"{value:.3f}" if isinstance(value, float) else shown.contents() or "–"


def laid_out(value: Any) -> SafeString | str:
    """Format a plain list on one line and other JSON on several, with secrets masked; "–" for an empty value."""
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return mask(", ".join(map(str, value)))
    return format_html("<pre>{}</pre>", mask(json.dumps(value, ensure_ascii=False, indent=2)))
