"""What staff may do about a connection: try again, release what is held, decide a conflict.

The claim may change at the same moment: the transaction that lost the race is retried, and finds the new state.
"""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from integrations.activation.call_kinds import Activate
from integrations.activation.waiting_call import end_claim, wake
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts
from integrations.alerts.windows import clear_window_alerts
from integrations.connections.external_ids import bound_to
from integrations.connections.models import LIVE, NOT_ENDED, UNDECIDED, Connection, EndedBy, State
from integrations.connections.transitions import hold, lock, move, tell_details
from integrations.connections.window import activation_deadline
from integrations.outbox.models import UNFINISHED, CallState, OutgoingCall
from integrations.outbox.queue import cancel, hurry, queue_fresh
from integrations.status_sync.disconnect import Uninstall
from integrations.status_sync.status_sync import AskStatus, ask_status
from integrations.telephony.chains import adopt_chain, hand_over_chain
from partner_portal.core.english import english as _
from partner_portal.core.overtaken import again_when_overtaken

AGAINST_THE_OTHER = _("Staff decided against the other claim.")


class NotPossibleError(Exception):
    """Raised when staff ask for what this connection's state does not allow; `str()` says why."""


@again_when_overtaken
def try_again(connection_id: int, by: User) -> None:
    """Try the activation once more, now.

    A call that waits goes at once. After an end the status call is asked first, and something is sent only if Altegio
    still waits for it. Raises NotPossibleError if the connection is live or uninstalled, or if the same person has a
    newer claim on the location.
    """
    connection = lock(connection_id)
    # The sweep may not have recorded the end yet; it would then expire a call that is only hurried.
    is_over = connection.state == State.GRANTED and connection.deadline_at <= timezone.now()
    if is_over or connection.state in (State.EXPIRED, State.FAILED):
        if Connection.objects.beside(connection).undecided().filter(claim=connection.claim).exists():
            raise NotPossibleError(
                _("%(connection)s: the same person has a newer claim, which waits.") % _message_params(connection)
            )
        _send_on(connection, _("Staff try again."), by)
    elif connection.state != State.GRANTED or not hurry(_activations(connection)):
        raise NotPossibleError(
            _("%(connection)s is %(state)s: there is nothing to try again.") % _message_params(connection)
        )


@again_when_overtaken
def release(connection_id: int) -> None:
    """Send an activation that was held back. Raises NotPossibleError if none is."""
    connection = lock(connection_id)
    held = _activations(connection).filter(state=CallState.HELD)
    for call in held:
        # Marked as released, so that the claim is not held back for staff again.
        held.filter(pk=call.pk).update(params={**call.params, "released": True})
    if not hurry(held):
        raise NotPossibleError(_("%(connection)s holds no activation back.") % _message_params(connection))


@transaction.atomic
def ask_altegio(connection_id: int) -> None:
    """Ask at once what Altegio holds to be true; the connection follows the answer."""
    connection = lock(connection_id)
    ask_status(connection)
    hurry(connection.calls.filter(kind=AskStatus.name))


@again_when_overtaken
def give_to_claimant(connection_id: int, by: User) -> None:
    """Decide a conflict for this claim: every other claim on the location ends.

    If Altegio has accepted this claim already, it is bound at once. A connection that is live under somebody else
    moves to this claimant: here staff decide, and the record says who did. Otherwise the activation is sent, whenever
    the window ended. Raises NotPossibleError if there is no conflict, or if the claimant has not signed in yet.
    """
    connection = _lock_place(connection_id)
    if not is_for_staff(connection):
        raise NotPossibleError(_("%(connection)s is %(state)s, not in conflict.") % _message_params(connection))
    if connection.claimant is None:
        raise NotPossibleError(
            _("%(connection)s: the person who claims it has not signed in yet.") % _message_params(connection)
        )
    for rival in Connection.objects.beside(connection).undecided().order_by("pk"):
        _dismiss(lock(rival.pk), _("Staff gave the location to another person."), by)
    live = Connection.objects.beside(connection).live().first()
    if connection.state in LIVE:
        _bind(connection, connection, _("Staff decided for this claim."), by)
        adopt_chain(connection)
    elif live is not None:
        _hand_over(lock(live.pk), connection, by)
    else:
        _send_on(connection, _("Staff decided for this claim."), by, decided=True)


def _lock_place(connection_id: int) -> Connection:
    """Lock the connection, and before it all that is decided beside it, in the fixed order, and return it.

    Without the order two people who decide at once would deadlock.
    """
    there = Connection.objects.same_place(Connection.objects.get(pk=connection_id))
    hold(there.filter(Q(pk=connection_id) | Q(state__in=NOT_ENDED)))
    return lock(connection_id)


def is_for_staff(connection: Connection) -> bool:
    """Return whether staff may decide whose it is: it is in conflict, or Altegio accepted it while it was disputed.

    A proven claim on a live connection without an owner counts too, even once its window is over: there is no hurry.
    """
    if connection.state == State.FAILED and connection.is_proven and connection.ended_by == EndedBy.WINDOW:
        live = Connection.objects.beside(connection).live()
        return live.filter(Q(owner=None) | Q(owner__in=User.objects.erased())).exists()
    return connection.state == State.CONFLICT or (connection.state in LIVE and connection.is_disputed)


@again_when_overtaken
def dismiss_claim(connection_id: int, by: User) -> None:
    """Decide against this undecided claim: it stays ended, whatever Altegio answers later.

    If one other claim is left in dispute, that one wins: it goes on, or is bound if Altegio has accepted it. An
    unproven claim was in dispute with nobody, so a decision against it decides for nobody. Raises NotPossibleError if
    there is nothing to decide any more.
    """
    connection = _lock_place(connection_id)
    if connection.state not in UNDECIDED or _is_decided_for(connection):
        raise NotPossibleError(
            _("%(connection)s is %(state)s: there is nothing to decide any more.") % _message_params(connection)
        )
    _dismiss(connection, _("Staff decided against this claim."), by)
    if not connection.is_proven:
        return
    others = Connection.objects.beside(connection)
    accepted = others.live().filter(is_disputed=True, owner=None).first()
    waiting = list(others.undecided().filter(is_disputed=True)[:2])
    if accepted is not None and not others.undecided().filter(is_proven=True).exists():
        _bind(lock(accepted.pk), accepted, AGAINST_THE_OTHER, by)
        adopt_chain(accepted)
    elif len(waiting) == 1 and not others.live().exists():
        left = lock(waiting[0].pk)
        move(left, State.GRANTED, AGAINST_THE_OTHER, by=by, is_disputed=False)
        wake([left])


@transaction.atomic
def pass_review(connection_id: int) -> None:
    """Confirm that the location is the right one after all: its owner may see its data."""
    connection = lock(connection_id)
    connection.review = ""
    connection.reviewed_at = timezone.now()
    connection.save(update_fields=["review", "reviewed_at"])
    connection.alerts.filter(cleared_at=None, key=f"review:{connection.pk}").update(cleared_at=timezone.now())


def _send_on(connection: Connection, why: str, by: User, *, decided: bool = False) -> None:
    """Let the claim go on in a new window, with one call in place of all that wait; it asks first."""
    cancel(_activations(connection), why)
    clear_window_alerts([connection])
    move(
        connection,
        State.GRANTED,
        why,
        by=by,
        is_disputed=False,
        is_proven=True,
        deadline_at=activation_deadline(timezone.now()),
        warned=0,
        ended_at=None,
        ended_by="",
    )
    if not _activations(connection).filter(state=CallState.SENDING).exists():
        queue_fresh([Activate.by_staff(connection, decided=decided)])


def _hand_over(live: Connection, claim: Connection, by: User) -> None:
    former_owner_id = live.owner_id
    _bind(live, claim, _("Staff moved it from %(old)s to %(new)s.") % _from_to(live, claim), by)
    hand_over_chain(live, claim, former_owner_id)
    # It may have ended at Altegio without a callback; then the claimant's own grant goes on.
    live.last_arrived_at = max(live.last_arrived_at, claim.last_arrived_at)
    live.save(update_fields=["last_arrived_at"])
    ask_status(live)
    # The claim is not marked as ended by staff: that would count as a refusal of its claimant.
    end_claim(claim, _("Staff decided for this claim; the live connection is theirs now."), by=by)


def _bind(live: Connection, claim: Connection, why: str, by: User) -> None:
    """Give the live connection to the claimant of `claim`, and cancel an uninstall that another owner asked for."""
    if live.owner_id is not None and live.owner != claim.claimant:
        cancel(OutgoingCall.objects.filter(connection=live, kind=Uninstall.name), why)
    bound = bound_to(live, claim.claimant)
    for name, value in bound.items():
        setattr(live, name, value)
    live.claimant, live.claim = claim.claimant, claim.claim
    live.is_disputed, live.is_proven = False, True
    live.save(update_fields=[*bound, "claimant", "claim", "is_disputed", "is_proven"])
    live.changes.create(from_state=live.state, to_state=live.state, why=why, by=by)
    tell_details([live.pk])
    clear_alerts(connection=live, kind=Alert.Kind.CONFLICT)


def _from_to(live: Connection, claim: Connection) -> dict[str, str]:
    return {"old": _number(live.owner), "new": _number(claim.claimant)}


def _number(person: User | None) -> str:
    """Return the name of a person in the record, which outlives their address and their account."""
    return f"#{person.pk}" if person else "–"


def _dismiss(connection: Connection, why: str, by: User) -> None:
    end_claim(connection, why, ended_by=EndedBy.STAFF, by=by)


def _is_decided_for(connection: Connection) -> bool:
    """Return whether staff have just given it the location: a list loaded before must not undo that."""
    return _activations(connection).filter(state__in=UNFINISHED, params__decided=True).exists()


def _activations(connection: Connection) -> QuerySet[OutgoingCall]:
    return OutgoingCall.objects.filter(connection=connection, kind=Activate.name)


def _message_params(connection: Connection) -> dict[str, str]:
    return {"connection": str(connection), "state": connection.get_state_display()}
