"""The progress of each location of an arrival, in the owner's words."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.activation.call_kinds import Activate
from integrations.activation.status_decision import NO_OPEN_GRANT
from integrations.connections.brand import brand_of
from integrations.connections.models import SHOWN_STATES, Arrival, Connection, EndedBy, State, reconnect_url
from integrations.outbox.models import WAITING, CallState, OutgoingCall
from integrations.outbox.token_stop import token_is_stopped
from partner_portal.core.formats import clock, day

RECENT = timedelta(seconds=30)
PageState = Literal["pending", "active", "partial", "expired", "failed"]


@dataclass(frozen=True)
class LocationStatus:
    """One location's line (docs/interface.md, Pages)."""

    salon_id: int
    state: str
    message: str
    reconnect_url: str


@dataclass(frozen=True)
class ArrivalStatus:
    """The content of an arrival's page."""

    state: PageState
    deadline: datetime
    locations: list[LocationStatus]
    titles: dict[int, str]
    # Altegio's own words about a location, which are part of its message; their language is unknown.
    words: dict[int, str]
    # Decided a moment ago, so Altegio's page around the frame still has to be notified.
    is_recent: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "deadline": self.deadline.isoformat(),
            "locations": [asdict(location) for location in self.locations],
        }

    @property
    def headline(self) -> str:
        count = len(self.locations)
        done = sum(location.state == "active" for location in self.locations)
        match self.state:
            case "pending":
                return _("Connecting…")
            case "active":
                return ngettext("Connected", "All %(count)s locations are connected", count) % {"count": count}
            case "partial":
                return _("%(done)s of %(count)s locations are connected") % {"done": done, "count": count}
            case "expired":
                return _("The time to connect is over")
        return _("Not connected")


def status_of(arrival: Arrival) -> ArrivalStatus:
    """Return the arrival's status, in a constant number of queries."""
    connections = {
        connection.location.altegio_id: connection
        for connection in arrival.connections.select_related("application", "location").order_by("pk")
    }
    progress = _progress_of(arrival)
    locations = [_line(arrival, salon_id, connections.get(salon_id), progress) for salon_id in arrival.salon_ids]
    own = {salon_id: each for salon_id, each in connections.items() if not _is_anothers(arrival, each)}
    waiting = [connection.deadline_at for connection in own.values() if connection.state == State.GRANTED]
    return ArrivalStatus(
        state=page_state([location.state for location in locations]),
        deadline=min(waiting, default=arrival.deadline_at),
        locations=locations,
        titles={salon_id: connection.title for salon_id, connection in own.items() if connection.title},
        words={
            salon_id: connection.altegio_words for salon_id, connection in own.items() if connection.altegio_words
        },
        is_recent=any(_is_recent(connection) for connection in own.values()),
    )


def _is_recent(connection: Connection) -> bool:
    decided_at = connection.ended_at or connection.activated_at
    return decided_at is not None and timezone.now() - decided_at < RECENT


def page_state(states: list[str]) -> PageState:
    """Return the page's state, derived from its locations' states (docs/interface.md, Decided)."""
    distinct = set(states)
    if "pending" in distinct:
        return "pending"
    if distinct == {"active"}:
        return "active"
    if "active" in distinct:
        return "partial"
    return "expired" if distinct == {"expired"} else "failed"


def shown_state(connection: Connection) -> str:
    """Return the state as owners and scripts know it (docs/interface.md, Pages); an undecided one is `pending`."""
    return SHOWN_STATES[connection.state]


@dataclass(frozen=True)
class _Progress:
    """What the calls show of the waiting connections, by connection key."""

    struggling: set[int | None]  # Altegio's answers so far were failures
    asking: set[int | None]  # another person claims it too, and Altegio is asked whose it is
    stopped: bool  # Altegio refuses our token


def _progress_of(arrival: Arrival) -> _Progress:
    moving = OutgoingCall.objects.filter(connection__arrivals=arrival)
    struggling = Q(connection__state=State.GRANTED, setbacks__gt=0)
    asking = Q(connection__state=State.CONFLICT, connection__is_disputed=True, kind=Activate.name)
    asking &= Q(state__in=(*WAITING, CallState.SENDING))
    found = set(moving.filter(struggling | asking).values_list("connection", "connection__state"))
    return _Progress(
        struggling={pk for pk, state in found if state == State.GRANTED},
        asking={pk for pk, state in found if state == State.CONFLICT},
        stopped=token_is_stopped(),
    )


def _line(arrival: Arrival, salon_id: int, connection: Connection | None, progress: _Progress) -> LocationStatus:
    again = reconnect_url(salon_id, arrival.application.altegio_id)
    if connection is None and timezone.now() >= arrival.deadline_at:
        return LocationStatus(
            salon_id, "expired", _("The time to connect was over. Press Connect in Altegio again."), again
        )
    if connection is None and arrival.claim and arrival.network:
        # Only unsigned arrivals have a network; a signed one claims all it names.
        return LocationStatus(salon_id, "pending", _waits_for_proof(), again)
    if connection is None:
        return LocationStatus(salon_id, "pending", _("Sign up or sign in to go on."), again)
    if _is_anothers(arrival, connection):
        return LocationStatus(salon_id, SHOWN_STATES[State.CONFLICT], _taken_by_another(), again)
    is_struggling = connection.pk in progress.struggling
    if connection.pk in progress.asking:
        message = _waiting(connection, struggling=is_struggling, stopped=progress.stopped)
        return LocationStatus(salon_id, "pending", message, again)
    message = message_for(connection, struggling=is_struggling, stopped=progress.stopped)
    return LocationStatus(salon_id, shown_state(connection), message, again)


def _is_anothers(arrival: Arrival, connection: Connection) -> bool:
    """Return whether it belongs to somebody else than the arrival's person: a typed address must reveal nothing of
    it.
    """
    return connection.owner_id not in (None, arrival.user_id)


def _taken_by_another() -> str:
    return _("Another person has connected this location. Ask them to disconnect it, then press Connect.")


def message_for(connection: Connection, *, struggling: bool = False, stopped: bool = False) -> str:
    """Return what has become of one connection, and what the owner does next.

    `struggling`: Altegio's answers so far were failures; `stopped`: Altegio refuses our token.
    """
    match State(connection.state):
        case State.GRANTED:
            return _waiting(connection, struggling=struggling, stopped=stopped)
        case State.ACTIVE:
            return _("Connected.")
        case State.FROZEN:
            return _frozen(connection)
        case State.UNINSTALLED:
            return _("Disconnected. To use it again, press Connect in Altegio.")
        case State.EXPIRED:
            return _with(_time_is_over(), connection.altegio_words)
        case State.CONFLICT:
            if not connection.is_disputed:
                return _taken_by_another()
            return _("Another person has connected or claims this location. Our staff will look into it.")
        case State.FAILED:
            return _failed(connection)


def _frozen(connection: Connection) -> str:
    if connection.frozen_at is None:  # frozen before the portal recorded the time
        return _("Connected, but frozen by Altegio until the subscription is paid.")
    since = {"day": day(connection.frozen_at)}
    return _("Connected, but frozen by Altegio since %(day)s, until the subscription is paid.") % since


def _waits_for_proof() -> str:
    return _(
        "Many claims wait for this location, your address or your network. Open the link in the e-mail that we have "
        "sent you: then we know your address, and go on at once."
    )


def _time_is_over() -> str:
    return _("The time to connect was over. Press Connect in Altegio again.")


def _waiting(connection: Connection, *, struggling: bool, stopped: bool) -> str:
    if stopped:
        return _("Something is wrong on our side. Our staff have been told; you need not do anything.")
    if struggling:
        until = clock(connection.deadline_at)
        return _("Altegio is slow to answer. We keep trying until %(time)s.") % {"time": until}
    return _("Waiting for Altegio to switch the integration on.")


def _failed(connection: Connection) -> str:
    if connection.ended_by == EndedBy.STAFF:
        return _with_support(
            _("Our staff have decided against this claim."), brand_of(connection.application).support
        )
    if connection.ended_by == EndedBy.WINDOW:
        return _("Another person has connected or claims this location, and your time to connect is over.")
    if connection.reason.startswith(NO_OPEN_GRANT):
        lead = _("Altegio has no open grant for this location. Press Connect in Altegio again.")
    else:
        lead = _("Altegio did not accept the connection.")
    return _with(lead, connection.altegio_words)


def _with_support(lead: str, support: str) -> str:
    return f"{lead} " + _("Is the location yours? Write to %(support)s.") % {"support": support} if support else lead


def _with(lead: str, words: str) -> str:
    return f"{lead} " + _("Altegio says: “%(words)s”") % {"words": words} if words else lead
