"""The order of claims at a location: by proof, then by whether the claimant was refused there recently, then by
arrival.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from integrations.activation.binding import (
    answers_a_lost_call,
    is_granted_to,
    lies_ahead,
    others_alive,
    was_ours,
)
from integrations.activation.status_decision import StatusFacts
from integrations.altegio.answers import AltegioState, ConnectionStatus
from integrations.connections.models import UNDECIDED, Application, Connection, EndedBy, State
from integrations.connections.window import clock_tolerance
from integrations.outbox.attempts import sent_attempts
from integrations.outbox.models import OutgoingCall

# For this long, a claimant that was refused at a location is not served there at once, and goes last.
REFUSAL_LASTS = timedelta(hours=1)
# A claimant refused this often in that time is nobody's rival; an owner with an old link is refused once or twice.
REFUSALS_OF_THE_PERSISTENT = 3


def somebody_goes_first(connection: Connection, status: ConnectionStatus) -> bool:
    """Return whether another claim on the location that this grant may serve goes before this one."""
    others = _served_beside(connection, status)
    proven = [each for each in others if each.is_proven]
    if connection.is_proven:
        return _a_proven_one_goes_first(connection, proven, status)
    return any(_is_in_line(each) for each in proven) or any(
        _rank(each) < _rank(connection) for each in others if not each.is_proven
    )


def _a_proven_one_goes_first(connection: Connection, others: list[Connection], status: ConnectionStatus) -> bool:
    """Return whether another proven claim goes before this proven one.

    Two proven people are in dispute, not in line. But a claim that waited behind a holder steps back, and so does one
    whose claimant was refused repeatedly, because it is no rival of the others.
    """
    in_line = [each for each in others if _is_in_line(each)]
    if any(_came_before(connection, each, status) for each in others if each not in in_line):
        return True
    if not in_line or (_waited_behind_a_holder(connection) and not _came_first_after(connection, status)):
        return bool(in_line)
    persistent = _persistent_of(connection, in_line)
    return connection.claim in persistent and any(each.claim not in persistent for each in in_line)


def is_in_dispute(connection: Connection, status: ConnectionStatus) -> bool:
    """Return whether this grant may also belong to another proven person who is the claimant's rival.

    A claim whose last arrival is older than the consent does not count, however early it came.
    """
    if not connection.is_disputed:
        return False
    in_line = [each for each in _served_beside(connection, status) if _is_in_line(each)]
    persistent = _persistent_of(connection, in_line)
    return any((each.claim in persistent) == (connection.claim in persistent) for each in in_line)


def _served_beside(connection: Connection, status: ConnectionStatus) -> list[Connection]:
    """Return the other open claims that this grant may be for."""
    return [each for each in _open_claims(connection) if is_granted_to(each, status)]


def _persistent_of(connection: Connection, others: list[Connection]) -> set[str]:
    claims = {connection.claim, *(each.claim for each in others)}
    return persistent_claims(connection.application, {connection.location_id}, claims)[connection.location_id]


def _came_before(connection: Connection, other: Connection, status: ConnectionStatus) -> bool:
    """Return whether `other` came to this consent first, while the portal still believed that somebody held the
    location.
    """
    was_first = other.arrived_at < connection.arrived_at or not _came_first_after(connection, status)
    return was_first and _came_first_after(other, status) and not was_refused_recently(other)


def _open_claims(connection: Connection) -> QuerySet[Connection]:
    return Connection.objects.beside(connection).undecided().filter(deadline_at__gt=timezone.now())


def _is_in_line(connection: Connection) -> bool:
    return connection.is_proven and (connection.state == State.GRANTED or connection.is_disputed)


def _rank(connection: Connection) -> tuple[bool, datetime, int]:
    return was_refused_recently(connection), connection.arrived_at, connection.pk


def was_refused_recently(connection: Connection) -> bool:
    """Return whether this claimant was refused at the location recently: by claim, by address or by network."""
    same = Q(claim=connection.claim)
    if connection.visitor:
        same |= Q(visitor=connection.visitor)
    if connection.network:
        same |= Q(network=connection.network)
    return _refused_here(connection).filter(same).exists()


def persistent_claims(
    application: Application, locations: Collection[int], claims: Collection[str]
) -> dict[int, set[str]]:
    """Return by location those of `claims` that Altegio refused there repeatedly in the last hour, or staff once."""
    refused = Connection.objects.filter(
        application=application,
        location__in=locations,
        claim__in=claims,
    ).refused(timezone.now() - REFUSAL_LASTS)
    by_staff = Count("pk", filter=Q(ended_by=EndedBy.STAFF))
    by_altegio = Count("pk", filter=Q(ended_by=EndedBy.ALTEGIO))
    counted = refused.order_by().values("location", "claim").annotate(by_staff=by_staff, by_altegio=by_altegio)
    found: dict[int, set[str]] = defaultdict(set)
    for row in counted.filter(Q(by_staff__gt=0) | Q(by_altegio__gte=REFUSALS_OF_THE_PERSISTENT)):
        found[row["location"]].add(row["claim"])
    return found


def settling_of(connection: Connection) -> float:
    """Return how many seconds a claim must settle: more where unproven visitors were refused recently."""
    contested = _refused_here(connection).filter(is_proven=False).exists()
    return settings.CONTESTED_SETTLING_SECONDS if contested else settings.UNPROVEN_SETTLING_SECONDS


def note_grant(call: OutgoingCall, status: ConnectionStatus) -> None:
    """Record that Altegio was asked about this grant: the time to settle begins now."""
    # Not set in memory: if this transaction is retried, the wait has not begun.
    OutgoingCall.objects.filter(pk=call.pk).update(params={**call.params, "grant_seen": _grant(status)})


def has_settled(call: OutgoingCall, status: ConnectionStatus) -> bool:
    """Return whether an earlier question found this very grant, and not one before it."""
    return bool(call.params.get("grant_seen") == _grant(status))


def _grant(status: ConnectionStatus) -> str:
    return str(status.created_at)


def _refused_here(connection: Connection) -> QuerySet[Connection]:
    return Connection.objects.beside(connection).refused(timezone.now() - REFUSAL_LASTS)


def facts_of(connection: Connection, call: OutgoingCall, status: ConnectionStatus) -> StatusFacts:
    """Return the facts for `judge`, of a locked connection."""
    active = status.state in (AltegioState.ACTIVE, AltegioState.FROZEN)
    is_theirs = was_ours(connection, status) if active else is_granted_to(connection, status)
    may_go_on = is_theirs and connection.state in UNDECIDED
    was_sent = active and answers_a_lost_call(connection, status)
    must_settle = may_go_on and not was_sent and _must_settle(connection, status)
    return StatusFacts(
        remote=status.state,
        state=State(connection.state),
        is_disputed=is_theirs and is_in_dispute(connection, status),
        is_theirs=is_theirs,
        was_refused=call.refusal_code is not None and not _granted_since_sent(call, status),
        decided=bool(call.params.get("decided")),
        others_alive=active and others_alive(connection).exists(),
        others_first=may_go_on and somebody_goes_first(connection, status),
        must_settle=must_settle,
        has_settled=must_settle and has_settled(call, status),
        settling=settling_of(connection) if must_settle else settings.UNPROVEN_SETTLING_SECONDS,
        is_held=connection.application.hold_activations and not call.params.get("released"),
    )


def _granted_since_sent(call: OutgoingCall, status: ConnectionStatus) -> bool:
    """Return whether the open grant was given after this call was last sent: this grant was not refused."""
    sent = sent_attempts(call).last()
    consent = status.created_at
    if sent is None or consent is None or lies_ahead(consent):
        return False
    return consent > sent.started_at + clock_tolerance()


def _must_settle(connection: Connection, status: ConnectionStatus) -> bool:
    waited = _waited_behind_a_holder(connection) and not _came_first_after(connection, status)
    # A rival who disputed it may be about to return with this very consent.
    return not connection.is_proven or waited or connection.is_disputed or was_refused_recently(connection)


def _waited_behind_a_holder(connection: Connection) -> bool:
    return connection.state == State.CONFLICT and not connection.is_disputed


def _came_first_after(connection: Connection, status: ConnectionStatus) -> bool:
    """Return whether the claimant came after this consent, and no former holder of the location has come back since.

    Then there is nobody to wait for: the holder had left before, and the portal did not know it.
    """
    consent = status.created_at
    if consent is None or lies_ahead(consent) or connection.arrived_at < consent:
        return False
    beside = Connection.objects.beside(connection)
    # Altegio's times are whole seconds: a claimant who came before an end that was known before the consent came
    # before both. An end that the portal concluded from the grant alone came before it, at an unknown time.
    ended = beside.filter(state=State.UNINSTALLED).exclude(ended_by=EndedBy.PORTAL)
    if ended.filter(ended_at__gt=connection.arrived_at, ended_at__lt=consent + timedelta(seconds=1)).exists():
        return False
    came_back = beside.exclude(activated_at=None).filter(last_arrived_at__gt=F("arrived_at"))
    return not came_back.filter(last_arrived_at__gte=consent - clock_tolerance()).exists()
