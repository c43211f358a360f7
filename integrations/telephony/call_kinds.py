"""The outgoing call that switches a chain's telephony on or off (docs/altegio.md §2)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Max
from django.utils import timezone

from integrations.altegio import requests
from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Chain
from integrations.outbox.call_kinds import CallKind, ObsoleteError, register
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.outbox.queue import cancel, new_call, queue
from integrations.telephony.models import PhoneCall
from integrations.telephony.switched_off import release_kept
from partner_portal.core.english import english as _


def switch_telephony(chain: Chain, *, on: bool) -> None:
    """Queue the switch of a locked chain, and cancel a switch that is still waiting.

    The new call is due no earlier than the cancelled one was.
    """
    earlier = OutgoingCall.objects.filter(ordering_key=_ordering_key(chain), kind=SwitchTelephony.name)
    rests_until = earlier.filter(state=CallState.QUEUED).aggregate(latest=Max("due_at"))["latest"]
    cancel(earlier, "Overtaken by a newer switch.")
    chain.telephony_round = F("telephony_round") + 1
    chain.telephony = Chain.Telephony.ENABLING if on else Chain.Telephony.DISABLING
    chain.telephony_error, chain.telephony_since = "", timezone.now()
    chain.save(update_fields=["telephony_round", "telephony", "telephony_error", "telephony_since"])
    chain.refresh_from_db(fields=["telephony_round"])
    call = new_call(SwitchTelephony, _key(chain), ordering_key=_ordering_key(chain), chain=chain.pk, on=on)
    call.due_at = max(call.due_at, rests_until or call.due_at)
    queue([call])


def retire_chain(old: Chain, new: Chain) -> None:
    """Retire a locked chain whose token was replaced: cancel its switch and move its unsaved phone calls to `new`.

    A phone call whose id `new` has already stays. The chain is not switched off at Altegio, because both tokens may
    open the same chain there.
    """
    cancel(
        OutgoingCall.objects.filter(ordering_key=_ordering_key(old), kind=SwitchTelephony.name),
        "The CRM token was replaced.",
    )
    Chain.objects.filter(pk=old.pk).update(
        telephony=Chain.Telephony.OFF,
        telephony_error="",
        telephony_since=timezone.now(),
        telephony_round=F("telephony_round") + 1,
        is_confirmed=False,
    )
    known = PhoneCall.objects.filter(chain=new).values("call_id")
    unsaved = PhoneCall.objects.filter(chain=old).exclude(state=PhoneCall.State.SAVED)
    unsaved.exclude(call_id__in=known).update(chain=new)


def _ordering_key(chain: Chain) -> str:
    return f"chain:{chain.pk}"


@register
class SwitchTelephony(CallKind):
    """An outgoing call that switches telephony (docs/altegio.md §2, telephony on/off); repeating it is harmless."""

    name = "switch_telephony"
    title = _("Telephony on or off")
    priority = Priority.SETUP
    idempotent = True
    yes_is_enough = True
    last_write_wins = True
    uses_own_credential = True
    alert_on_failure = True
    max_age = timedelta(days=1)

    def request(self, call: OutgoingCall) -> ApiRequest:
        chain = Chain.objects.get(pk=call.params["chain"])
        if not chain.crm_token:
            raise ObsoleteError("The chain has no CRM token.")
        return requests.telephony(chain.crm_token, enable=call.params["on"])

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        state = Chain.Telephony.ON if call.params["on"] else Chain.Telephony.OFF
        if self._learn(call, state, "") and call.params["on"]:
            release_kept(call.params["chain"])

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        self._learn(call, Chain.Telephony.FAILED, reason)

    def bring_back(self, call: OutgoingCall) -> bool:
        """Let the chain wait for this switch again; only for the newest one, which an earlier one would undo."""
        return self._learn(call, Chain.Telephony.ENABLING if call.params["on"] else Chain.Telephony.DISABLING, "")

    def hold(self, calls: Sequence[OutgoingCall]) -> None:
        chains = Chain.objects.filter(pk__in=[call.params["chain"] for call in calls])
        list(chains.select_for_update(no_key=True).order_by("pk").values_list("pk"))

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        self._learn(call, Chain.Telephony.FAILED, call.reason)

    def _learn(self, call: OutgoingCall, state: Chain.Telephony, error: str) -> bool:
        """Record how the switch ended, unless a newer one was queued meanwhile; return whether it was the newest."""
        newest = Chain.objects.filter(pk=call.params["chain"], telephony_round=_round_of(call))
        noted = newest.update(telephony=state, telephony_error=error[:500], telephony_since=timezone.now())
        return bool(noted)


def _key(chain: Chain) -> str:
    return f"telephony:{chain.pk}:{chain.telephony_round}"


def _round_of(call: OutgoingCall) -> int:
    return int(call.key.rpartition(":")[2])
