"""The columns of an admin list as plain values, for files that staff export."""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.utils.html import strip_tags
from django.utils.text import capfirst

from partner_portal.core.bidi import without_controls
from partner_portal.core.masking import mask

_MOMENT = re.compile(r'<time datetime="([^"]+)">')
# What lists show for an empty value.
_NOTHING = frozenset({"", "-", "–"})


class ListColumns:
    """The columns of one list: their headings, and their values for any row."""

    def __init__(self, room: ModelAdmin[Any], names: list[Any]) -> None:
        self._room, self._names = room, names

    @property
    def headings(self) -> list[str]:
        """The headings as shown above the list."""
        return [
            str(capfirst(str(label_for_field(name, self._room.model, model_admin=self._room))))
            for name in self._names
        ]

    def values(self, row: Model) -> list[object]:
        """Return numbers, dates and times as they are, and all else as the text that the list shows."""
        return [self._value(name, row) for name in self._names]

    def _value(self, name: Any, row: Model) -> object:
        try:
            field, _attribute, value = lookup_field(name, row, self._room)
        except ObjectDoesNotExist:
            return None
        choices = dict(getattr(field, "flatchoices", None) or ())
        return _plain(choices.get(value, value) if choices else value)


def _plain(value: Any) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, date | int | float | Decimal):
        return value
    if isinstance(value, dict):
        return mask(json.dumps(value, ensure_ascii=False))
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if moment := _MOMENT.match(str(value)):
        return datetime.fromisoformat(moment[1])
    text = unescape(strip_tags(str(value))) if hasattr(value, "__html__") else str(value)
    text = without_controls(text).strip(" ")
    return None if text in _NOTHING else text
