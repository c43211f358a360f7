"""Switching a chain's telephony on and off (ALTEGIO.md §2)."""

from datetime import datetime, timedelta

from django.db.models import F

from integrations.altegio import calls
from integrations.altegio.answers import Answer
from integrations.altegio.calls import Call
from integrations.models.place import Chain
from integrations.outbox.kinds import CallKind, Obsolete, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import cancel, new_call, queue


def switch_telephony(chain: Chain, *, on: bool) -> None:
    """Queue the switch of a locked chain; a switch that still waits is overtaken by this one."""
    cancel(
        OutgoingCall.objects.filter(lane=_lane(chain), kind=SwitchTelephony.name),
        "Overtaken by a newer switch.",
    )
    chain.telephony_round = F("telephony_round") + 1
    chain.telephony = Chain.Telephony.ENABLING if on else Chain.Telephony.DISABLING
    chain.telephony_error = ""
    chain.save(update_fields=["telephony_round", "telephony", "telephony_error"])
    chain.refresh_from_db(fields=["telephony_round"])
    key = f"telephony:{chain.pk}:{chain.telephony_round}"
    queue([new_call(SwitchTelephony, key, lane=_lane(chain), chain=chain.pk, on=on)])


def _lane(chain: Chain) -> str:
    return f"chain:{chain.pk}"


@register
class SwitchTelephony(CallKind):
    """ALTEGIO.md §2, telephony on/off. Setting a switch twice to the same side is harmless."""

    name = "switch_telephony"
    priority = Priority.SETUP
    repeatable = True
    own_credential = True
    worth_an_alarm = True
    gives_up_after = timedelta(days=1)

    def request(self, call: OutgoingCall) -> Call:
        chain = Chain.objects.get(pk=call.params["chain"])
        if not chain.crm_token:
            raise Obsolete("The chain has no CRM token.")
        return calls.telephony(chain.crm_token, enable=call.params["on"])

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        state = Chain.Telephony.ON if call.params["on"] else Chain.Telephony.OFF
        Chain.objects.filter(pk=call.params["chain"]).update(telephony=state, telephony_error="")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._failed(call, reason)

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        self._failed(call, call.reason)

    def _failed(self, call: OutgoingCall, reason: str) -> None:
        Chain.objects.filter(pk=call.params["chain"]).update(
            telephony=Chain.Telephony.FAILED, telephony_error=reason[:500]
        )
