"""Receivers through which arrivals and connections follow changes elsewhere in the portal."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.proofs import taken_over
from accounts.signals import person_changed
from integrations.activation.binding import is_granted_to
from integrations.altegio.answers import ConnectionStatus
from integrations.connect.claimants import Claimant
from integrations.connect.claims import go_on_as_new, stand_aside
from integrations.connect.expectations import EXPECTED, expect
from integrations.connections.models import LIVE, UNDECIDED, Arrival, Connection, State
from integrations.connections.signals import connection_changed, granted_again
from integrations.connections.transitions import hold, lock_each, tell_details, touch


@receiver(granted_again)
def reconnect(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Claim the location for its former owner, if Connect was pressed again before the portal knew of the end.

    Only if the owner has arrived since, so that the new grant is theirs.
    """
    if is_granted_to(connection, status):
        go_on_as_new(connection)


@receiver(connection_changed)
def one_of_two_stands(connection: Connection, before: State, after: State, **_: Any) -> None:
    """End the person's newer claim when Altegio turns out to have accepted an older one that had ended here."""
    if before in (State.EXPIRED, State.FAILED) and after in LIVE:
        own = Connection.objects.beside(connection).undecided().filter(claim=connection.claim)
        stand_aside([(claim, connection) for claim in lock_each(own)])


@receiver(person_changed)
def show_other_owner(user: User, **_: Any) -> None:
    """Announce that an owner's connections show changed personal details."""
    tell_details(touch(Connection.objects.filter(owner=user)))


@receiver(taken_over)
def wait_for_the_owner(user: User, *, was_proven: bool, **_: Any) -> None:
    """Let claims made before anybody had proven the address go on as nobody's; their arrivals wait for the account's
    owner.

    Nothing is lost: the owner has the arrival again by signing in on it.
    """
    if was_proven:
        return
    hold(Connection.objects.undecided().filter(claim=Claimant.of(user).claim))
    theirs = Arrival.objects.filter(user=user, connections__state__in=UNDECIDED).distinct()
    for arrival in Arrival.objects.select_for_update(no_key=True).filter(pk__in=theirs.values("pk")).order_by("pk"):
        provisional = f"s:{arrival.pk}"
        claimed = Connection.objects.undecided().filter(arrivals=arrival, claim=Claimant.of(user).claim)
        claimed.update(claim=provisional, claimant=None)
        arrival.claim, arrival.user = provisional, None
        expect(arrival, user)
        arrival.save(update_fields=["claim", "user", *EXPECTED])
