"""What Altegio's word on an activation changes: whose the location is (ALTEGIO.md §1)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from integrations.alarms.models import Alarm
from integrations.alarms.raising import raise_alarms
from integrations.altegio.answers import AltegioState, ConnectionStatus, words_of
from integrations.connections import lock, move
from integrations.locations.kinds import fetch_locations
from integrations.locations.review import review_name
from integrations.models.connection import LIVE, Connection, State
from integrations.models.place import Location
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.telephony.chains import adopt_chain

# Two clocks and a redirect lie between a consent and our note of the arrival.
CLOCK_TOLERANCE = timedelta(seconds=60)


def is_granted_to(connection: Connection, status: ConnectionStatus) -> bool:
    """Whether the open grant is this arrival's: a consent later than it is a stranger's.

    A consent in the future is a clock or a zone set wrong, and says nothing.
    """
    consent = status.created_at
    if consent is None or consent > timezone.now() + CLOCK_TOLERANCE:
        return True
    return consent <= connection.last_arrived_at + CLOCK_TOLERANCE


def was_ours(connection: Connection, status: ConnectionStatus) -> bool:
    """Whether a location that Altegio calls active (or frozen) became so by this connection.

    Nobody else may hold it here; and its newest log entry must be younger than the window, or not older
    than a call of ours that got no answer.
    """
    if _others_alive(connection).exists():
        return False
    changed_at = status.newest_sign_at
    window = timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW)
    if changed_at is not None and timezone.now() - changed_at < window:
        return True
    return answers_a_lost_call(connection, status)


def answers_a_lost_call(connection: Connection, status: ConnectionStatus) -> bool:
    """Whether Altegio's state is what a call of ours brought about whose answer never came."""
    sent_at = _unanswered_since(connection)
    if sent_at is None:
        return False
    return status.newest_sign_at is None or status.newest_sign_at >= sent_at - CLOCK_TOLERANCE


def _unanswered_since(connection: Connection) -> datetime | None:
    """When the first activation call was sent whose end is not known."""
    unanswered = Attempt.objects.filter(
        call__connection=connection,
        call__kind="activate",
        purpose=Attempt.Purpose.SEND,
        outcome__in=("", "unknown"),
    )
    first = unanswered.order_by("started_at").first()
    return first.started_at if first else None


def _others_alive(connection: Connection) -> "QuerySet[Connection]":
    return Connection.objects.filter(
        application=connection.application_id, location=connection.location_id, state__in=LIVE
    ).exclude(pk=connection.pk)


def end_unnoticed(connection: Connection) -> None:
    """Altegio waits for an activation here: what was believed alive was uninstalled without a word."""
    for other in _others_alive(connection):
        move(lock(other.pk), State.UNINSTALLED, "Altegio waits for a new activation.", ended_at=timezone.now())


def accept(connection: Connection, to: State, why: str) -> None:
    """Altegio accepted: the location is the claimant's, and what follows from that is queued."""
    Location.objects.select_for_update(no_key=True).get(pk=connection.location_id)
    now = timezone.now()
    if connection.state == State.CONFLICT:
        # Two people claim one grant: Altegio's yes does not say to whom. Staff do.
        connection.activated_at = now
        connection.save(update_fields=["activated_at"])
        return
    if connection.state in LIVE:
        return
    end_unnoticed(connection)
    move(connection, to, why, owner=connection.claimant, activated_at=now, ended_at=None)
    adopt_chain(connection)
    review_name(connection)
    fetch_locations(connection.application)


def words_about(call: OutgoingCall) -> str:
    """Altegio's own last words on an activation, for its owner to read; never ours or an HTTP status."""
    sent = call.attempts.filter(purpose=Attempt.Purpose.SEND).order_by("pk").last()
    return words_of(sent.response_body) if sent else ""


def conflict_or_failure(
    connection: Connection, status: ConnectionStatus | None, reason: str, altegio_words: str
) -> None:
    """Altegio will not activate: held by another (a conflict for staff), or refused."""
    if connection.state != State.GRANTED:
        return
    taken = status is not None and status.state in (AltegioState.ACTIVE, AltegioState.FROZEN)
    if not taken:
        move(connection, State.FAILED, reason, altegio_words=altegio_words, ended_at=timezone.now())
        return
    move(
        connection,
        State.CONFLICT,
        "This location was connected before, by another person or outside the portal.",
    )
    raise_alarms(
        [(Alarm.Kind.CONFLICT, f"conflict:{connection.pk}", f"{connection}: {connection.reason}", connection)]
    )
