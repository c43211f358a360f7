"""The timeline's entries and its extension point, at which each feature adds what it knows of a connection."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from django.db.models import Model

from integrations.backoffice.timeline.evidence import Evidence
from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint


class Rank(IntEnum):
    """The order of entries that have the same time."""

    CAUSE = 0  # an arrival, a callback: the cause
    CHANGE = 1  # a state, an alert
    CONSEQUENCE = 2  # a call, a payment: what follows


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    `kind` is a short word for a label, `row` is the linked object, and `evidence` is shown folded below.
    """

    at: datetime
    rank: Rank
    kind: str
    title: str
    detail: str = ""
    row: Model | None = None
    is_bad: bool = False
    evidence: tuple[Evidence, ...] = ()


Source = Callable[[Connection], Iterable[Entry]]
TIMELINE = ExtensionPoint[Source]("timeline", "What is known of a connection, in a constant number of queries.")


def timeline(connection: Connection) -> list[Entry]:
    """Return everything that is known of a connection, oldest first, in a constant number of queries."""
    entries = [entry for source in TIMELINE for entry in source(connection)]
    return sorted(entries, key=lambda entry: (entry.at, entry.rank))
