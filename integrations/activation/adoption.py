"""Adoption of locations that were connected before the portal: Altegio calls them active, and the portal has no
record.

No activation is sent, because Altegio has had one. The connection is nobody's until somebody proves to be its owner
and staff decide. Its times are those that Altegio sends; they do not start anew.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.activation.signals import location_adopted
from integrations.altegio.answers import AltegioState, Answer, ConnectionStatus, read_status
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Application, Connection, Installation, Location, State
from integrations.connections.signals import status_synced
from integrations.connections.transitions import move
from integrations.connections.window import activation_window
from integrations.locations.call_kinds import fetch_locations
from integrations.outbox.call_kinds import CallKind, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import queue_newest
from integrations.status_sync.question import status_question
from integrations.telephony.chains import adopt_chain
from integrations.webhook_settings.call_kinds import NoTokenError, mend_settings
from partner_portal.core.english import english as _

ADOPTED = "adopted"
WHY = "Connected before the portal; Altegio says that it is {}."


@transaction.atomic
def ask_to_adopt(application: Application, salon_id: int) -> str:
    """Queue the question whether a location is connected; if so, it is adopted. Return the call's coalesce key."""
    location, _made = Location.objects.get_or_create(altegio_id=salon_id)
    Installation.at(application, location)
    subject = f"adopt:{application.pk}:{location.pk}"
    queue_newest(Adopt, subject, application=application.pk, location=location.pk)
    return subject


@register
class Adopt(CallKind):
    """A status question about a location that the portal does not know (docs/altegio.md §2, status)."""

    name = "adopt"
    title = _("Taking over: is it connected?")
    priority = Priority.HOUSEKEEPING
    idempotent = True
    max_age = timedelta(days=1)

    def request(self, call: OutgoingCall) -> ApiRequest:
        return status_question(*_place_of(call))

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        if status is not None:
            adopt(*_place_of(call), status)


def _place_of(call: OutgoingCall) -> tuple[Application, Location]:
    application = Application.objects.get(pk=call.params["application"])
    return application, Location.objects.get(pk=call.params["location"])


def adopt(application: Application, location: Location, status: ConnectionStatus) -> Connection | None:
    """Create a live connection without an owner for a location that Altegio calls active or frozen.

    Must run within a transaction. Return None if it is neither, or if a connection here is live or once was: those
    are found by other ways. Return None also while an owner who consented within a window may be about to arrive, or
    while a recent change may belong to an undecided claim whose answer was lost.
    """
    Location.objects.select_for_update(no_key=True).get(pk=location.pk)
    here = Connection.objects.at(application, location)
    if not _is_alive(status) or here.live().exists() or here.exclude(activated_at=None).exists():
        return None
    if _is_within_window(status.created_at) or (here.undecided().exists() and not _is_settled(status)):
        return None
    now = timezone.now()
    since = status.created_at or status.first_active_at or now
    connection = Connection.objects.create(
        application=application,
        location=location,
        state=State.GRANTED,
        claim=ADOPTED,
        is_proven=False,
        arrived_at=since,
        last_arrived_at=since,
        deadline_at=since + activation_window(),
    )
    to = State.FROZEN if status.state is AltegioState.FROZEN else State.ACTIVE
    move(connection, to, WHY.format(to.label), activated_at=status.first_active_at, status_asked_at=now)
    adopt_chain(connection)
    fetch_locations(application)
    # Receivers look at this answer too: they compare what Altegio recorded of keys and addresses.
    status_synced.send(sender=Connection, connection=connection, status=status, before=to)
    _mend(connection)
    location_adopted.send(sender=Connection, connection=connection)
    return connection


def adopt_in_place(claim: Connection, status: ConnectionStatus) -> None:
    """Adopt a location that a proven person claims and that Altegio has called active for longer than a window."""
    if claim.is_proven:
        adopt(claim.application, claim.location, status)


def _is_settled(status: ConnectionStatus) -> bool:
    """Return whether the last change is older than the window in which anybody may arrive."""
    return status.newest_sign_at is not None and not _is_within_window(status.newest_sign_at)


def _is_within_window(moment: datetime | None) -> bool:
    return moment is not None and timezone.now() - moment < activation_window()


def _is_alive(status: ConnectionStatus) -> bool:
    return status.state in (AltegioState.ACTIVE, AltegioState.FROZEN)


def _mend(connection: Connection) -> None:
    """Add our event address if a user token allows it; if none does, an alert has named what is missing."""
    try:
        with transaction.atomic():
            mend_settings(connection)
    except NoTokenError:
        return
