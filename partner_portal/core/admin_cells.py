"""How the lists of the control room draw a column: states as coloured words, moments in the reader's own time."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Field, Model
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


def drawn(model: type[Model], name: Any) -> Any:
    """What a list's `list_display` shall hold for this column of the model: itself, or how it is drawn."""
    if not isinstance(name, str):
        return name
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    if name in _STATES and getattr(field, "choices", None):
        return _column(field, _draw_state)
    if isinstance(field, DateTimeField):
        return _column(field, _draw_moment)
    return name


def _column(field: Any, draw: Callable[[Model, Any], SafeString | str]) -> Draw:
    def column(row: Model) -> SafeString | str:
        return draw(row, field)

    described: Any = column
    # The admin makes the cell's class of it, and the heading.
    described.__name__, described.short_description, described.admin_order_field = (
        field.name,
        field.verbose_name,
        field.name,
    )
    return column


def word(state: str, label: object) -> SafeString:
    """A state as a word in its colour."""
    return format_html('<span class="word {}">{}</span>', _TONE_OF.get(state, "quiet"), label)


def _draw_state(row: Model, field: "Field[Any, Any]") -> SafeString | str:
    state = getattr(row, field.name)
    return word(state, getattr(row, f"get_{field.name}_display")()) if state else "–"


def _draw_moment(row: Model, field: "Field[Any, Any]") -> SafeString | str:
    return moment_of(getattr(row, field.name))


def moment_of(moment: datetime | None) -> SafeString | str:
    """UTC, as it stands; `room.js` writes it in the reader's zone, with how long ago it was. "–" for None."""
    if moment is None:
        return "–"
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), localize(localtime(moment)))
