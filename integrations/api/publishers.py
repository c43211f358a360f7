"""Publishing of events about connections, sender names and messages, in the JSON of the API (docs/interface.md)."""

from collections.abc import Sequence
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from billing.models import PeriodNotice
from billing.signals import period_noted
from integrations.api.connections import ConnectionSerializer, shown_connections
from integrations.api.messages import MessageSerializer, shown_messages
from integrations.api.sender_names import shown_names
from integrations.connections.models import SHOWN_STATES, Connection, State, SyncState
from integrations.connections.signals import connections_changed, details_changed
from integrations.connections.transitions import Change
from integrations.messaging.signals import messages_placed
from integrations.partner_events import types
from integrations.partner_events.publish import NewEvent, publish
from integrations.sender_names.models import SenderNameList

# The type of a connection's new state; a claim that waits again is not published.
_TYPES = {
    State.ACTIVE: types.CONNECTION_STATES["activated"],
    State.FROZEN: types.CONNECTION_STATES["frozen"],
    State.UNINSTALLED: types.CONNECTION_STATES["uninstalled"],
    State.EXPIRED: types.CONNECTION_STATES["expired"],
    State.FAILED: types.CONNECTION_STATES["failed"],
    State.CONFLICT: types.CONNECTION_STATES["conflict"],
}
_PERIODS = {
    PeriodNotice.Kind.ENDING: types.SUBSCRIPTION_ENDING,
    PeriodNotice.Kind.OVERDUE: types.SUBSCRIPTION_OVERDUE,
}
# The serializers are built once: building their fields for each of ten thousand events took a minute of a
# reconciliation.
_connections, _messages = ConnectionSerializer(), MessageSerializer()
_NAMES = {SyncState.SYNCED: types.SENDER_NAMES_SYNCED, SyncState.FAILED: types.SENDER_NAMES_FAILED}


def type_of(before: State | None, after: State) -> str | None:
    """Return the event's type for this change, or None if there is nothing to publish."""
    if (before, after) == (State.FROZEN, State.ACTIVE):
        return types.CONNECTION_STATES["unfrozen"]
    return _TYPES.get(after)


@receiver(connections_changed)
def publish_changes(changes: Sequence[Change], **_: Any) -> None:
    """Publish all that one move changed, in a constant number of queries."""
    events = [(change, kind) for change in changes if (kind := type_of(change.before, change.after))]
    shown = shown_connections().in_bulk([change.connection.pk for change, _kind in events]) if events else {}
    publish(_event(kind, shown[change.connection.pk], change.before) for change, kind in events)


@receiver(details_changed)
def publish_details(keys: Sequence[int], **_: Any) -> None:
    """Publish that these have another owner, title or partner's id, in a constant number of queries."""
    shown = shown_connections().filter(pk__in=keys).order_by("pk")
    publish(_event(types.CONNECTION_CHANGED, connection, connection.state) for connection in shown)


def _event(kind: str, connection: Connection, before: str | None) -> NewEvent:
    previous = SHOWN_STATES[State(before)] if before else None
    data = {"connection": _connections.to_representation(connection), "previous_state": previous}
    return NewEvent(kind, connection.application_id, data, connection_id=connection.pk)


@receiver(post_save, sender=SenderNameList)
def publish_sender_names(instance: SenderNameList, update_fields: frozenset[str] | None = None, **_: Any) -> None:
    """Publish whether Altegio took a list."""
    kind = _NAMES.get(SyncState(instance.sync_state))
    if kind is None or "sync_state" not in (update_fields or ()):
        return
    installation = instance.installation
    data = {"salon_id": installation.location.altegio_id, **shown_names(instance)}
    here = Connection.objects.at(installation.application_id, installation.location_id).current()
    publish([NewEvent(kind, installation.application_id, data, connection_id=here.pk if here else None)])


@receiver(period_noted)
def publish_period(connection: Connection, kind: PeriodNotice.Kind, **_: Any) -> None:
    """Publish that a trial or paid period ends soon, or has ended unpaid."""
    shown = _connections.to_representation(shown_connections().get(pk=connection.pk))
    data = {"connection": shown, "next_payment_at": shown["next_payment_at"]}
    publish([NewEvent(_PERIODS[kind], connection.application_id, data, connection_id=connection.pk)])


@receiver(messages_placed)
def publish_messages(keys: Sequence[int], **_: Any) -> None:
    """Publish the messages that Altegio wants sent, in a constant number of queries."""
    messages = shown_messages().filter(pk__in=keys).order_by("pk")
    publish(
        NewEvent(
            types.MESSAGE_REQUESTED,
            message.connection.application_id,
            {"message": _messages.to_representation(message)},
            connection_id=message.connection_id,
        )
        for message in messages
    )
