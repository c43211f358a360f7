"""Checks for telephony switches and phone calls that are pending, but that no outgoing call will finish."""

from datetime import datetime

from django.db.models import QuerySet

from integrations.connections.models import Chain
from integrations.outbox.queue import queue
from integrations.outbox.watch import key_of, unfinished
from integrations.telephony.call_kinds import SwitchTelephony, switch_telephony
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import CallHistory
from integrations.telephony.switched_off import end_kept, forgotten
from partner_portal.core.watch import register_check

UNDER_WAY = (Chain.Telephony.ENABLING, Chain.Telephony.DISABLING)


def _unswitched(now: datetime) -> QuerySet[Chain]:
    waits = unfinished(kind=SwitchTelephony.name, ordering_key=key_of("chain", "pk"))
    return Chain.objects.filter(~waits, telephony__in=UNDER_WAY)


def _switch(found: Chain) -> None:
    chain = Chain.objects.select_for_update(no_key=True).get(pk=found.pk)
    if chain.telephony not in UNDER_WAY:
        return
    if chain.crm_token:
        switch_telephony(chain, on=chain.telephony == Chain.Telephony.ENABLING)
        return
    chain.telephony, chain.telephony_error = Chain.Telephony.FAILED, "The chain has no CRM token."
    chain.save(update_fields=["telephony", "telephony_error"])


def _unsent(now: datetime) -> QuerySet[PhoneCall]:
    waits = unfinished(key=key_of(CallHistory.name, "pk", "attempt_count"))
    return PhoneCall.objects.filter(~waits, state=PhoneCall.State.QUEUED)


def _send(found: PhoneCall) -> None:
    saved = PhoneCall.objects.select_for_update(no_key=True).get(pk=found.pk)
    if saved.state == PhoneCall.State.QUEUED:
        saved.attempt_count += 1
        saved.save(update_fields=["attempt_count"])
        queue([CallHistory.new(saved)])


register_check("telephony: being switched", _unswitched, _switch)
register_check("phone call: queued", _unsent, _send)
register_check("phone call: kept", forgotten, end_kept, by_age=True)
