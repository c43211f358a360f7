"""The effects of Altegio's answer to an activation: who holds the location (docs/altegio.md §1)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.activation.lone_token import note_lone_token
from integrations.alerts.models import Alert
from integrations.alerts.raising import NewAlert, clear_alerts, raise_alert, raise_alerts
from integrations.altegio.answers import ConnectionStatus, Outcome, words_of
from integrations.connections.external_ids import bound_to
from integrations.connections.models import LIVE, UNDECIDED, Connection, ConnectionChange, EndedBy, Location, State
from integrations.connections.signals import granted_again
from integrations.connections.transitions import changed_since, lock, move
from integrations.connections.window import activation_window, clock_tolerance
from integrations.locations.call_kinds import fetch_locations
from integrations.locations.review import review_name
from integrations.outbox.attempts import sent_attempts
from integrations.outbox.models import UNFINISHED, Attempt, OutgoingCall
from integrations.status_sync.disconnect import disconnect
from integrations.status_sync.status_sync import AskStatus
from integrations.telephony.chains import adopt_chain

CLOCK_ALERT = "altegio-clock"
# The prefix of a claim whose person was erased.
ERASED = "erased:"
CHANGED_HANDS = (
    "By Altegio's log that connection has ended since, and the location was connected anew. Decide whose it is."
)


def lies_ahead(consent: datetime) -> bool:
    """Return whether a consent is dated in the future: a clock or `ALTEGIO_TIME_ZONE` is set wrong."""
    return consent > timezone.now() + clock_tolerance()


def note_clock(status: ConnectionStatus) -> None:
    """Alert staff to a consent dated in the future, because unsigned owners are refused then.

    Clear the alert when a consent is not in the future.
    """
    consent = status.created_at
    if consent is None:
        return
    if not lies_ahead(consent):
        clear_alerts(key=CLOCK_ALERT)
        return
    minutes = round((consent - timezone.now()).total_seconds() / 60)
    text = (
        f"Altegio dates a consent {minutes} minutes ahead of this machine's clock, so owners who come without "
        "Altegio's signature are refused. Set ALTEGIO_TIME_ZONE to the zone that Altegio writes, and check the "
        "clock; then try their connections again."
    )
    raise_alert(Alert.Kind.CALL, CLOCK_ALERT, text)


def is_outdated(connection: Connection, asked_at: datetime) -> bool:
    """Return whether a connection here became live, or ended, after Altegio was asked: the answer may be out of date.

    The location stays locked, so no other claim is accepted there until the answer is written.
    """
    Location.objects.select_for_update(no_key=True).get(pk=connection.location_id)
    here = ConnectionChange.objects.filter(connection__in=Connection.objects.same_place(connection))
    return changed_since(here.filter(Q(to_state__in=LIVE) | Q(from_state__in=LIVE)), asked_at)


def is_granted_to(connection: Connection, status: ConnectionStatus) -> bool:
    """Return whether the open grant belongs to this arrival: a later consent was given by somebody else.

    A consent in the future means that a clock or a zone is set wrong; then only a proof counts.
    """
    consent = status.created_at
    if consent is None or lies_ahead(consent):
        return connection.is_proven
    return consent <= connection.last_arrived_at + clock_tolerance()


def was_ours(connection: Connection, status: ConnectionStatus) -> bool:
    """Return whether a location that Altegio calls active (or frozen) became so by this connection.

    No other connection may be live here. Altegio's state must answer a lost call of this connection; or, if no other
    claim has such a call, its newest log entry must be younger than the window, with a consent not later than the
    arrival.
    """
    if others_alive(connection).exists():
        return False
    if answers_a_lost_call(connection, status):
        return True
    if answers_another_lost_call(connection, status):
        return False
    changed_at = status.newest_sign_at
    window = activation_window()
    is_young = changed_at is not None and timezone.now() - changed_at < window
    return is_young and is_granted_to(connection, status)


def answers_a_lost_call(connection: Connection, status: ConnectionStatus) -> bool:
    """Return whether Altegio's state results from a call of this connection whose answer never came.

    Such a call took no grant that was given after it, and its log entry is not older than it.
    """
    tolerance = clock_tolerance()
    consent, sign = status.created_at, status.newest_sign_at
    if consent is not None and lies_ahead(consent):
        consent = None
    return any(
        (consent is None or consent <= sent_at + tolerance) and (sign is None or sent_at <= sign + tolerance)
        for sent_at in _unanswered(connection)
    )


def answers_another_lost_call(connection: Connection, status: ConnectionStatus) -> bool:
    """Return whether an undecided claim beside this one has such a lost call: then the state is that claim's."""
    return any(answers_a_lost_call(each, status) for each in Connection.objects.beside(connection).undecided())


def _unanswered(connection: Connection) -> list[datetime]:
    """Return when the activation calls were sent that may have connected what is not connected here."""
    return list(lost_attempts().filter(call__connection=connection).values_list("started_at", flat=True))


def lost_attempts() -> "QuerySet[Attempt]":
    """Return the activations that were sent, and that Altegio has not refused.

    Those of a connection that is not live here are lost: their answer never came, or it was recorded and the worker
    ended before it was applied.
    """
    return Attempt.objects.filter(
        call__kind="activate",
        purpose=Attempt.Purpose.SEND,
        outcome__in=("", Outcome.UNKNOWN, Outcome.ACCEPTED),
    )


def others_alive(connection: Connection) -> "QuerySet[Connection]":
    return Connection.objects.beside(connection).live()


def end_unnoticed(connection: Connection) -> None:
    """End the live connections here: Altegio waits for a new activation, and sent no callback about the end."""
    why, now = "Altegio waits for a new activation.", timezone.now()
    for other in others_alive(connection):
        move(lock(other.pk), State.UNINSTALLED, why, ended_at=now, ended_by=EndedBy.PORTAL)


def note_open_grant(connection: Connection, status: ConnectionStatus) -> None:
    """Record that Altegio waits for an activation here: nobody holds the location, whatever the portal believed.

    A holder who came back, and about whom Altegio is still asked, gets a claim of their own now, so that claims which
    waited behind them, or came after them, find it.
    """
    end_unnoticed(connection)
    asked = OutgoingCall.objects.filter(connection=OuterRef("pk"), kind=AskStatus.name, state__in=UNFINISHED)
    back = Connection.objects.beside(connection).filter(Exists(asked), state=State.UNINSTALLED).order_by("pk")
    for pk in list(back.values_list("pk", flat=True)):
        granted_again.send(sender=Connection, connection=lock(pk), status=status)


def accept(connection: Connection, to: State, why: str) -> None:
    """Record that Altegio accepted: bind the location to the claimant, and queue what follows.

    If two proven people claim it, Altegio's acceptance does not say whose it is: it is nobody's until staff decide.
    What staff ended stays ended; they are alerted that Altegio holds it to be connected. If the person behind it was
    erased meanwhile, it is disconnected again.
    """
    Location.objects.select_for_update(no_key=True).get(pk=connection.location_id)
    if connection.state in LIVE:
        return
    if connection.ended_by == EndedBy.STAFF:
        text = f"{connection}: Altegio accepted it, but staff had ended this claim."
        raise_alert(Alert.Kind.UNKNOWN, f"ended-by-staff:{connection.pk}", text, connection)
        return
    end_unnoticed(connection)
    owner = None if connection.is_disputed else connection.claimant
    is_gone = (owner is not None and owner.is_erased) or connection.claim.startswith(ERASED)
    now = timezone.now()
    # Makes its status due: that answer shows whether the settings were taken.
    asked = now - timedelta(days=settings.RECHECK_DAYS)
    bound = bound_to(connection, owner)
    # The arrivals so far led to it, so it is not activated before them, even if the clock was set back.
    activated_at = max(now, connection.arrived_at, connection.last_arrived_at)
    move(connection, to, why, **bound, activated_at=activated_at, status_asked_at=asked, ended_at=None, ended_by="")
    if is_gone:
        disconnect(connection.pk, by=None, why="The person behind it was erased while Altegio was answering.")
    if connection.is_disputed:
        text = f"{connection}: Altegio accepted it while two people claim it. It is nobody's until you decide whose."
        raise_alert(Alert.Kind.CONFLICT, f"accepted:{connection.pk}", text, connection)
    elif disputing := list(_disputing(connection).values_list("pk", flat=True)):
        # The disputing claims wait behind its holder from now on.
        Connection.objects.filter(pk__in=disputing).update(is_disputed=False)
        clear_alerts(connection__in=disputing, kind=Alert.Kind.CONFLICT)
    adopt_chain(connection)
    note_lone_token(connection)
    review_name(connection)
    fetch_locations(connection.application)


def words_about(call: OutgoingCall) -> str:
    """Return Altegio's own last words on an activation, for its owner to read; never ours or an HTTP status."""
    sent = sent_attempts(call).last()
    return words_of(sent.response_body) if sent else ""


def fail(connection: Connection, reason: str, altegio_words: str) -> None:
    """Fail an undecided claim that Altegio refused."""
    if connection.state in UNDECIDED:
        now, by = timezone.now(), EndedBy.ALTEGIO
        move(connection, State.FAILED, reason, altegio_words=altegio_words, ended_at=now, ended_by=by)


def show_as_taken(connection: Connection, status: ConnectionStatus, reason: str) -> None:
    """Put the claim in conflict until its window ends, or the holder's connection does: somebody holds the location.

    If no active owner is known who still holds it, only staff can find out whose it is: they get an alert, provided
    that the claimant is proven.
    """
    if connection.state not in UNDECIDED:
        return
    if not connection.is_disputed:
        move(connection, State.CONFLICT, reason)
    alive = others_alive(connection)
    owned = alive.filter(owner__is_active=True)
    if not connection.is_proven or any(not _has_changed_hands(each, status) for each in owned):
        return
    if alive.filter(is_disputed=True).exists():
        # Staff already have an alert about the one that Altegio accepted.
        return
    text = " ".join([f"{connection}: {reason}", *([CHANGED_HANDS] if owned else [])])
    raise_alert(Alert.Kind.CONFLICT, f"conflict:{connection.pk}", text, connection)


def end_dispute(connection: Connection) -> None:
    """End the claim's dispute: by Altegio's answer the location can be nobody else's.

    The other claims came before the consent, or are gone.
    """
    connection.is_disputed = False
    connection.save(update_fields=["is_disputed"])


def _disputing(connection: Connection) -> "QuerySet[Connection]":
    """Return the undecided claims beside it that are in dispute."""
    return Connection.objects.beside(connection).undecided().filter(is_disputed=True)


def tell_of_disputes(connections: Iterable[Connection]) -> None:
    """Alert staff to locations that may belong to either of two proven people: they must find out whose it is."""
    raise_alerts(
        NewAlert(
            Alert.Kind.CONFLICT,
            f"conflict:{each.pk}",
            f"{each}: another person claims this location too. Decide whose it is.",
            each,
        )
        for each in connections
    )


def _has_changed_hands(holder: Connection, status: ConnectionStatus) -> bool:
    """Return whether Altegio, which calls the location active, knows of an end or a consent since the holder's
    activation.

    This happens if a private application was connected anew (docs/altegio.md §1) and its end was not reported. The
    two clocks may differ, so staff are alerted and nothing is ended.
    """
    signs = [moment for moment in (status.newest_end_at, status.created_at) if moment is not None]
    since = holder.connected_since
    return since is not None and any(moment > since + clock_tolerance() for moment in signs)
