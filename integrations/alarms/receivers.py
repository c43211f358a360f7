"""What raises and clears alarms by itself."""

from typing import Any

from django.dispatch import receiver

from integrations.alarms.models import Alarm
from integrations.alarms.raising import clear_alarms, raise_alarms
from integrations.connections import connection_changed
from integrations.models.connection import UNDECIDED, Connection, State
from integrations.outbox.carry import call_ended
from integrations.outbox.kinds import kind_of
from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.tokens import token_stopped


@receiver(token_stopped)
def tell_of_refused_token(fingerprint: str, message: str, **_: Any) -> None:
    """Every call rests until someone acts: the loudest alarm there is."""
    text = f"Altegio refuses the partner token (401: {message}). All calls rest until it is replaced."
    clear_alarms(kind=Alarm.Kind.TOKEN)
    Alarm.objects.filter(key=f"token:{fingerprint}").delete()
    raise_alarms([(Alarm.Kind.TOKEN, f"token:{fingerprint}", text, None)])


@receiver(call_ended)
def tell_of_failed_call(call: OutgoingCall, reason: str, **_: Any) -> None:
    """Refused, or too late: where nobody else would see it, staff are told."""
    if call.state in (CallState.REFUSED, CallState.EXPIRED) and kind_of(call).worth_an_alarm:
        text = f"{call.kind} {call.key}: {CallState(call.state).label}. {reason}"
        raise_alarms([(Alarm.Kind.CALL, f"call:{call.pk}", text, call.connection)])


@receiver(connection_changed)
def clear_when_decided(connection: Connection, after: State, **_: Any) -> None:
    """A connection that is decided runs out of no time and is in no conflict."""
    if after not in UNDECIDED:
        clear_alarms(connection=connection, kind__in=(Alarm.Kind.WINDOW, Alarm.Kind.CONFLICT))
