"""The processing of a stored callback: Altegio is asked, because the event is a hint and the status decides."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.dispatch import receiver
from django.utils import timezone

from integrations.altegio.answers import AltegioState, ConnectionStatus
from integrations.connections.models import Application, Connection, Location
from integrations.connections.signals import status_synced
from integrations.contract_drift.observe import observe_callback
from integrations.lifecycle.handlers import handlers_of
from integrations.lifecycle.models import Callback
from integrations.status_sync.status_sync import ask_status
from partner_portal.core.clean import parse_as_written
from partner_portal.core.queues import Queue
from partner_portal.core.skip_locked import skip_locked

UNINSTALL, FREEZE, PAYMENT = "uninstall", "freeze", "payment"
# Events that Altegio's status confirms or contradicts; any other is known only if it has a handler (`handlers.py`).
CONFIRMED_BY_STATUS = frozenset({UNINSTALL, FREEZE, PAYMENT})
# Altegio may call before its own status shows the change: for this long a contradicted callback counts as
# unconfirmed.
UNCONFIRMED_LASTS = timedelta(minutes=15)


def process_waiting() -> int:
    """Process every waiting callback, oldest first, and return how many. Any number of workers may run it."""
    done = 0
    while _process_next():
        done += 1
    return done


def process_again(callbacks: QuerySet[Callback]) -> int:
    """Let these callbacks be processed again, and return how many."""
    WAITING.forget(callbacks.values_list("pk", flat=True))
    return callbacks.update(state=Callback.State.WAITING, note="")


@transaction.atomic
def _process_next() -> bool:
    waiting = WAITING.ready(Callback.objects.filter(state=Callback.State.WAITING)).order_by("id")
    callback = skip_locked(waiting).first()
    if callback is None:
        return False
    WAITING.work_each([callback], _process)
    return True


def _give_up(callback_id: int) -> None:
    why = "The portal could not process it; see the dead letters."
    Callback.objects.filter(pk=callback_id).update(state=Callback.State.FAILED, note=why, processed_at=timezone.now())


def _try_again(callback_id: int) -> None:
    Callback.objects.filter(pk=callback_id).update(state=Callback.State.WAITING, note="")


WAITING = Queue.register(Queue("callbacks", "Callbacks", Callback, give_up=_give_up, retry=_try_again))


def _process(callback: Callback) -> None:
    callback.processed_at = timezone.now()
    body = parse_as_written(callback.body)
    observe_callback(body)
    there = Connection.objects.at_altegio(callback.application_altegio_id, callback.salon_id)
    callback.connection = there.current()
    handlers = handlers_of(callback.event)
    for handle in handlers:
        handle(body, callback.connection)
    if not handlers and callback.event not in CONFIRMED_BY_STATUS:
        callback.state, callback.note = Callback.State.KEPT, "An event that the portal does not know."
    elif callback.connection is None:
        callback.state, callback.note = Callback.State.KEPT, _unknown(callback)
    else:
        callback.state, callback.note = Callback.State.ASKED, ""
        ask_status(callback.connection)
    callback.save(update_fields=["state", "note", "connection", "processed_at"])


def _unknown(callback: Callback) -> str:
    if not Application.objects.filter(altegio_id=callback.application_altegio_id).exists():
        return "An application that the portal does not know."
    if not Location.objects.filter(altegio_id=callback.salon_id).exists():
        return "A location that was never seen here."
    return "This application was never connected at this location."


@receiver(status_synced)
def judge_callbacks(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """Mark callbacks as confirmed or contradicted by Altegio's answer.

    A callback that was contradicted before may have come ahead of Altegio's own status: the last one of its event may
    still be confirmed, for a while. Otherwise the verdict stays.
    """
    contradicted_by = _contradicted_by(status.state)
    waits = connection.callbacks.filter(Q(state=Callback.State.ASKED) | Q(pk__in=_ahead_of_status(connection)))
    contradicted = waits.filter(event__in=contradicted_by)
    contradicted.update(state=Callback.State.CONTRADICTED, note=f"Altegio's status: {status.state}.")
    waits.exclude(event__in=contradicted_by).update(state=Callback.State.CONFIRMED, note="")


def _ahead_of_status(connection: Connection) -> list[int]:
    """Return the contradicted callbacks that may yet prove true: the last one of each event, while it is recent."""
    since = timezone.now() - UNCONFIRMED_LASTS
    later = Callback.objects.filter(connection=connection, event=OuterRef("event"), pk__gt=OuterRef("pk"))
    young = connection.callbacks.filter(state=Callback.State.CONTRADICTED, received_at__gte=since)
    return list(young.exclude(Exists(later)).values_list("pk", flat=True))


def _contradicted_by(state: AltegioState) -> tuple[str, ...]:
    match state:
        case AltegioState.ACTIVE:
            return (UNINSTALL, FREEZE)
        case AltegioState.FROZEN:
            return (UNINSTALL,)
    return (FREEZE,)


def unconfirmed_callbacks() -> QuerySet[Connection]:
    """Return the connections of callbacks that Altegio's status has not confirmed, for a while after they came."""
    since = timezone.now() - UNCONFIRMED_LASTS
    unconfirmed = Callback.objects.filter(
        state__in=(Callback.State.ASKED, Callback.State.CONTRADICTED), received_at__gte=since
    )
    return Connection.objects.filter(pk__in=unconfirmed.values("connection"))
