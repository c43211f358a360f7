"""The owner's first page: their locations, each with its current state, those that need the owner first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.listing import PER_PAGE, page_of, searched
from accounts.models import User
from accounts.sections import register_section
from integrations.connect.labels import LABELS
from integrations.connect.status import message_for, shown_state
from integrations.connections.models import LIVE, Connection, EndedBy, State
from integrations.handover.buttons import OpenButton, open_buttons
from integrations.locations.search import matching
from integrations.status_sync.disconnect import being_disconnected
from partner_portal.core.extension_points import ExtensionPoint

# The order in which the owner should look at them; what they disconnected themselves comes last.
ORDER = (
    State.FROZEN, State.FAILED, State.EXPIRED, State.CONFLICT, State.GRANTED, State.ACTIVE, State.UNINSTALLED,
)  # fmt: skip


@dataclass(frozen=True)
class Note:
    """An additional line on a location, from a feature above; with a link if there is more to see."""

    text: str
    url: str = ""
    link: str = ""
    is_elsewhere: bool = False  # the link leads out of the portal, and so out of Altegio's frame


Notes = Callable[[Sequence[Connection]], Mapping[int, Note]]
LOCATION_NOTES = ExtensionPoint[Notes](
    "location notes",
    "A line on each of the owner's locations, in a constant number of queries.",
)


@dataclass(frozen=True)
class LocationRow:
    """One location's line."""

    salon_id: int
    title: str
    application: str
    state: str
    state_label: Promise
    message: str
    said: str
    reconnect_url: str
    disconnect_url: str
    open: OpenButton | None = None
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class StateFilter:
    """The number of the owner's locations in a state."""

    state: str
    label: Promise
    count: int
    is_chosen: bool


def own_connections(owner: User) -> QuerySet[Connection]:
    """Return the newest connection at each application and location that the owner holds or has claimed.

    This need not be the connection that counts there, which may be another person's: people are shown what became of
    their own last attempt. A claim that the portal ended is left out, because another connection of theirs stands.
    """
    mine = Q(owner=owner) | Q(owner=None, claimant=owner) & ~Q(state=State.FAILED, ended_by=EndedBy.PORTAL)
    here = Connection.objects.at(OuterRef("application"), OuterRef("location"))
    newer = here.filter(mine, pk__gt=OuterRef("pk"))
    places = [When(state=state, then=Value(place)) for place, state in enumerate(ORDER)]
    return (
        Connection.objects.filter(mine)
        .exclude(Exists(newer))
        .select_related("application", "location")
        .annotate(urgency=Case(*places, output_field=IntegerField()))
        .order_by("urgency", "-pk")
    )


def _context(request: HttpRequest, owner: User) -> dict[str, Any]:
    connections, search = own_connections(owner), searched(request)
    chosen = request.GET.get("state", "")
    filters = _filters(connections, chosen)
    wanted = [state for state in State if chosen == _shown(state)]
    found = connections.filter(matching(search), **({"state__in": wanted} if wanted else {}))
    page = page_of(request, found)
    total = sum(each.count for each in filters)
    return {
        "page": page,
        "rows": _rows(request, list(page), owner),
        "search": search,
        "state": chosen if wanted else "",
        "filters": filters,
        "total": total,
        "is_long": total > PER_PAGE,
    }


def _shown(state: State) -> str:
    return shown_state(Connection(state=state))


def _filters(connections: QuerySet[Connection], chosen: str) -> list[StateFilter]:
    counts = dict(connections.order_by().values_list("state").annotate(count=Count("pk")))
    names = [(_shown(state), counts.get(state, 0)) for state in ORDER]
    return [StateFilter(name, LABELS[name], count, name == chosen) for name, count in names if count]


def _rows(request: HttpRequest, connections: list[Connection], owner: User) -> list[LocationRow]:
    notes = [given(connections) for given in LOCATION_NOTES]
    ending = being_disconnected(connections)
    buttons = open_buttons(request, owner, connections)
    return [
        LocationRow(
            salon_id=connection.location.altegio_id,
            title=connection.title,
            application=connection.application.shown_name,
            state=shown_state(connection),
            state_label=LABELS[shown_state(connection)],
            message=_("It is being disconnected.") if connection.pk in ending else message_for(connection),
            said="" if connection.pk in ending else connection.altegio_words,
            reconnect_url=connection.reconnect_url,
            disconnect_url="" if connection.pk in ending else _disconnect_url(connection, owner),
            open=buttons.get(connection.pk),
            notes=[given[connection.pk] for given in notes if connection.pk in given],
        )
        for connection in connections
    ]


def _disconnect_url(connection: Connection, owner: User) -> str:
    """Return the address where the owner disconnects it, or "" if there is nothing to disconnect."""
    if connection.state not in LIVE or connection.owner_id != owner.pk:
        return ""
    return reverse("lifecycle:disconnect", args=[connection.pk])


register_section("home", "integrations/section_connections.html", _context)
