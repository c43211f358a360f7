"""What staff may do about a connection: try again, release what is held, decide a conflict."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from integrations.activation.kinds import Activate
from integrations.connections import lock, move
from integrations.lifecycle.asking import ask_status
from integrations.models.connection import LIVE, UNDECIDED, Connection, State
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import cancel, hurry, queue_fresh


class NotPossible(Exception):
    """Staff asked for what this connection's state does not allow; `str()` says why."""


@transaction.atomic
def try_again(connection_id: int, by: User) -> None:
    """Try the activation once more, now.

    A call that waits goes at once. After an end the status call is asked first, and something is sent only
    if Altegio still waits for it. Raises NotPossible for a connection that is alive or uninstalled.
    """
    connection = lock(connection_id)
    if connection.state in (State.EXPIRED, State.FAILED):
        if _others(connection).filter(state__in=UNDECIDED, claim=connection.claim).exists():
            raise NotPossible(_("%(connection)s: the same person has a newer claim that waits.") % _named(connection))
        move(connection, State.GRANTED, _("Staff try again."), by=by, ended_at=None)
        window = timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW)
        queue_fresh([Activate.again(connection, timezone.now() + window)])
    elif connection.state != State.GRANTED or not hurry(_activations(connection)):
        raise NotPossible(_("%(connection)s is %(state)s: there is nothing to try again.") % _named(connection))


@transaction.atomic
def release(connection_id: int) -> None:
    """Send an activation that was held back. Raises NotPossible where none is."""
    connection = lock(connection_id)
    if not hurry(_activations(connection).filter(state=CallState.HELD)):
        raise NotPossible(_("%(connection)s holds no activation back.") % _named(connection))


@transaction.atomic
def ask_altegio(connection_id: int) -> None:
    """Ask what Altegio holds to be true; the connection follows the answer."""
    ask_status(lock(connection_id))


@transaction.atomic
def give_to_claimant(connection_id: int, by: User) -> None:
    """Decide a conflict for this claim: it goes on, every other claim on the location ends.

    A location that is alive under somebody else moves to this claimant: here staff decide, and the record
    says who did. Raises NotPossible where there is no conflict, or the claimant has not signed in yet.
    """
    connection = lock(connection_id)
    if connection.state != State.CONFLICT:
        raise NotPossible(_("%(connection)s is %(state)s, not in conflict.") % _named(connection))
    if connection.claimant is None:
        raise NotPossible(_("%(connection)s: the person who claims it has not signed in yet.") % _named(connection))
    for rival in _others(connection).filter(state__in=UNDECIDED):
        _end_claim(lock(rival.pk), _("Staff gave the location to another person."), by)
    live = _others(connection).filter(state__in=LIVE).first()
    if live is not None:
        _hand_over(lock(live.pk), connection, by)
        return
    move(connection, State.GRANTED, _("Staff decided for this claim."), by=by)
    window = timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW)
    queue_fresh([Activate.again(connection, timezone.now() + window)])


@transaction.atomic
def dismiss_claim(connection_id: int, by: User) -> None:
    """Decide a conflict against this claim.."""
    connection = lock(connection_id)
    if connection.state != State.CONFLICT:
        raise NotPossible(_("%(connection)s is %(state)s, not in conflict.") % _named(connection))
    _end_claim(connection, _("Staff decided against this claim."), by)


@transaction.atomic
def pass_review(connection_id: int, by: User) -> None:
    """The location is the right one after all: its owner may see its data."""
    connection = lock(connection_id)
    connection.review = ""
    connection.reviewed_at = timezone.now()
    connection.save(update_fields=["review", "reviewed_at"])
    connection.alarms.filter(cleared_at=None, key=f"review:{connection.pk}").update(cleared_at=timezone.now())


def _hand_over(live: Connection, claim: Connection, by: User) -> None:
    previous = live.owner
    live.owner, live.claimant, live.claim = claim.claimant, claim.claimant, claim.claim
    live.save(update_fields=["owner", "claimant", "claim"])
    live.changes.create(
        from_state=live.state,
        to_state=live.state,
        why=_("Staff moved it from %(old)s to %(new)s.") % {"old": _number(previous), "new": _number(live.owner)},
        by=by,
    )
    _end_claim(claim, _("Staff decided for this claim; the live connection is theirs now."), by)


def _number(person: User | None) -> str:
    """How the record names a person: it outlives their address, and them."""
    return f"#{person.pk}" if person else "–"


def _end_claim(connection: Connection, why: str, by: User) -> None:
    cancel(_activations(connection), why)
    move(connection, State.FAILED, why, by=by, ended_at=timezone.now())


def _activations(connection: Connection) -> QuerySet[OutgoingCall]:
    return OutgoingCall.objects.filter(connection=connection, kind=Activate.name)


def _others(connection: Connection) -> QuerySet[Connection]:
    same_place = Connection.objects.filter(application=connection.application_id, location=connection.location_id)
    return same_place.exclude(pk=connection.pk)


def _named(connection: Connection) -> dict[str, str]:
    return {"connection": str(connection), "state": connection.get_state_display()}
