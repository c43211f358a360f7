"""Rendering of cells in the admin's lists: states as coloured words, times in the reader's own zone."""

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Field, Model
from django.db.models.constants import LOOKUP_SEP
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

Draw = Callable[[Model], SafeString | str]

_STATES = frozenset({"state", "status", "sync_state", "from_state", "to_state", "telephony"})
_TONES = {
    "good": "active reported done delivered synced saved confirmed sent on collected whole success",
    "bad": "failed refused dead expired conflict contradicted rejected not_delivered broken_off missed",
    "waiting": "granted queued waiting sending unconfirmed frozen refund_queued asked held running enabling kept"
    " disabling requested",
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states.split()}
# Labels that decide the tone where the state does not: it is a number, or means something else in another model.
_TONE_OF_WORD = {
    "granted": "good",
    "delivered": "good",
    "not delivered": "bad",
    "rejected by the operator": "bad",
    "not enough funds": "bad",
    "sent to phone": "waiting",
    "handed to the operator": "waiting",
}


def drawn(model: type[Model], name: Any) -> Any:
    """Return the entry of `list_display` for a column of the model: its name, or the function that draws it."""
    if not isinstance(name, str):
        return name
    if LOOKUP_SEP in name.strip("_"):  # not "__str__"
        return _column_of_another(model, name)
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    if name in _STATES and getattr(field, "choices", None):
        return _column(field, _draw_state)
    if isinstance(field, DateTimeField):
        return _column(field, _draw_moment)
    return name


def _column_of_another(model: type[Model], path: str) -> Any:
    """Return a column of a related row, headed by its own name: "location", not "installation location"."""
    field: Any = None
    for name in path.split(LOOKUP_SEP):
        field = model._meta.get_field(name)
        model = field.related_model or model

    def column(row: Model) -> Any:
        return reduce(getattr, path.split(LOOKUP_SEP), row)

    described: Any = column
    described.__name__, described.short_description, described.admin_order_field = path, field.verbose_name, path
    return column


def _column(field: Any, draw: Callable[[Model, Any], SafeString | str]) -> Draw:
    def column(row: Model) -> SafeString | str:
        return draw(row, field)

    described: Any = column
    # The admin builds the cell's CSS class and the heading from these.
    described.__name__, described.short_description, described.admin_order_field = (
        field.name,
        field.verbose_name,
        field.name,
    )
    return column


def word(state: str, label: object) -> SafeString:
    """Return a state as a word in its colour."""
    tone = _TONE_OF_WORD.get(str(label)) or _TONE_OF.get(state, "neutral")
    return format_html('<span class="word {}">{}</span>', tone, label)


def _draw_state(row: Model, field: "Field[Any, Any]") -> SafeString | str:
    state = getattr(row, field.name)
    return word(state, getattr(row, f"get_{field.name}_display")()) if state else "–"


def _draw_moment(row: Model, field: "Field[Any, Any]") -> SafeString | str:
    return moment_of(getattr(row, field.name))


def moment_of(moment: datetime | None) -> SafeString | str:
    """Return a time as HTML in UTC, "–" for None. `room.js` shows it in the reader's zone and how long ago it was."""
    if moment is None:
        return "–"
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), localize(localtime(moment)))
