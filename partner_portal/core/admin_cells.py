"""How the lists of the control room draw a column: states as coloured words, moments in the reader's own time."""

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
# Where the word says more than the state: a number, or a state that another model has in another sense.
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
    """Return what a list's `list_display` shall hold for this column of the model: itself, or how it is drawn."""
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
    """A column of a row that this one leads to, by its own name: "location", not "installation location"."""
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
    # The admin makes the cell's class of it, and the heading.
    described.__name__, described.short_description, described.admin_order_field = (
        field.name,
        field.verbose_name,
        field.name,
    )
    return column


def word(state: str, label: object) -> SafeString:
    """A state as a word in its colour."""
    tone = _TONE_OF_WORD.get(str(label)) or _TONE_OF.get(state, "neutral")
    return format_html('<span class="word {}">{}</span>', tone, label)


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
