"""What follows an uninstall for calls, telephony and people: once, in the transaction of the end.

Billing, activation and alerts have their own receivers, each in its `receivers.py`; `integrations/api/publishers.py`
publishes it to the partner's systems.
"""

from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.emails import queue_email
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert
from integrations.connections.brand import brand_of
from integrations.connections.models import LIVE, Arrival, Chain, Connection, State
from integrations.connections.signals import connection_changed
from integrations.outbox.call_kinds import CALL_KINDS
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import cancel
from integrations.status_sync.disconnect import Uninstall
from integrations.status_sync.status_sync import AskPatiently, AskStatus
from integrations.telephony.call_kinds import switch_telephony
from integrations.telephony.two_tokens import look_for_two_tokens

# Kinds of calls that stay valid after the end, so they are not cancelled.
KEPT_KINDS = (AskStatus.name, AskPatiently.name, Uninstall.name)


@receiver(connection_changed)
def follow_uninstall(connection: Connection, after: State, **_signal: Any) -> None:
    """End the calls and the chain's telephony of an uninstalled connection, and notify its owner and staff."""
    if after == State.UNINSTALLED:
        end_calls(connection)
        end_telephony(connection)
        if chain := connection.location.chain:
            look_for_two_tokens(connection.owner_id, chain.altegio_id)
        tell_owner_and_staff(connection)


@receiver(connection_changed)
def forget_the_end(connection: Connection, after: State, **_signal: Any) -> None:
    """Clear the alerts about the end at a location that is connected again."""
    if after in LIVE:
        clear_alerts(kind=Alert.Kind.ENDED, connection__in=Connection.objects.same_place(connection))


def end_calls(connection: Connection) -> int:
    """Cancel the calls that wait, with the reason, and return how many.

    A call that may have happened already and must not be repeated stays: Altegio is asked about it.
    """
    harmless = [kind.name for kind in CALL_KINDS if kind.idempotent]
    may_have_happened = Q(state=CallState.UNCONFIRMED) & ~Q(kind__in=harmless)
    calls = OutgoingCall.objects.filter(connection=connection).exclude(kind__in=KEPT_KINDS)
    return cancel(calls.exclude(may_have_happened), f"The connection ended: {connection.reason}")


def end_telephony(connection: Connection) -> None:
    """Switch the chain's telephony off when its last connection ends, unless it is off already.

    After a failed switch it may be on: Altegio may have done it without answering.
    """
    chain = Chain.objects.select_for_update(no_key=True).filter(locations=connection.location_id).first()
    if chain is None or chain.telephony in (Chain.Telephony.OFF, Chain.Telephony.DISABLING):
        return
    # Only connections of the applications that brought the chain count; other applications may be connected there
    # too.
    speaking = Arrival.objects.filter(chain_id_given=chain.altegio_id).values("application")
    alive = Connection.objects.live().filter(location__chain=chain, application__in=speaking)
    if not alive.exists():
        switch_telephony(chain, on=False)


def tell_owner_and_staff(connection: Connection) -> None:
    """Send an e-mail to the owner and raise an alert, unless the owner is connecting the location anew already."""
    theirs = Q(claim=connection.claim) | Q(claimant=connection.owner_id) & ~Q(claimant=None)
    if Connection.objects.same_place(connection).filter(theirs, state=State.GRANTED).exists():
        return
    key = f"disconnected:{connection.pk}:{timezone.now():%Y%m%d%H%M%S}"
    raise_alert(Alert.Kind.ENDED, key, f"{connection}: disconnected. {connection.reason}", connection)
    owner = connection.owner
    if owner is not None and owner.is_active:
        queue_email("disconnected", owner, key=key, connection=connection.pk)


@EMAIL_CONTEXTS.add("disconnected")
def with_connection(params: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the owner's e-mail."""
    connection = Connection.objects.select_related("application", "location").get(pk=params["connection"])
    return {
        "location": connection.title or _("Location %(id)s") % {"id": connection.location.altegio_id},
        "application": connection.application.shown_name,
        "reconnect_url": connection.reconnect_url,
        "brand": brand_of(connection.application),
    }
