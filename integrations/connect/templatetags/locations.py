"""Template tags for locations on owners' pages: rows with the urgent ones first, and counts by state."""

from dataclasses import dataclass

from django import template
from django.utils.html import format_html, urlize
from django.utils.safestring import mark_safe

from integrations.connect.labels import LABELS
from integrations.connect.status import ArrivalStatus

register = template.Library()

_ORDER = {state: place for place, state in enumerate(LABELS)}


@dataclass(frozen=True)
class ArrivalRow:
    """One location's line on a page."""

    salon_id: int
    title: str
    state: str
    state_label: str
    message: str
    said: str
    reconnect_url: str


@dataclass(frozen=True)
class Count:
    """The number of an arrival's locations in a state."""

    state: str
    label: str
    count: int


@register.simple_tag
def status_rows(status: ArrivalStatus) -> list[ArrivalRow]:
    """Return the arrival's locations: those that need the owner first, otherwise in the order they came."""
    labels = {state: str(label) for state, label in LABELS.items()}
    rows = [
        ArrivalRow(
            salon_id=location.salon_id,
            title=status.titles.get(location.salon_id, ""),
            state=location.state,
            state_label=labels[location.state],
            message=location.message,
            said=status.words.get(location.salon_id, ""),
            reconnect_url=location.reconnect_url,
        )
        for location in status.locations
    ]
    return sorted(rows, key=lambda row: _ORDER[row.state])


@register.filter
def quoting(message: str, said: str) -> str:
    """Return the message with addresses as links and with Altegio's words marked as being in an unknown language."""
    before, words, after = message.partition(said) if said else (message, "", "")
    if not words:
        return _linked(message)
    return format_html('{}<bdi lang="">{}</bdi>{}', _linked(before), words, _linked(after))


def _linked(text: str) -> str:
    if "@" not in text and "://" not in text:
        return text
    return mark_safe(urlize(text, autoescape=True))  # noqa: S308 - urlize has escaped what is no link


@register.simple_tag
def status_counts(status: ArrivalStatus) -> list[Count]:
    """Return every state with its label and its number of locations, including states with none."""
    states = [location.state for location in status.locations]
    return [Count(state, str(label), states.count(state)) for state, label in LABELS.items()]
