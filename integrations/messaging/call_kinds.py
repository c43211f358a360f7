"""Relaying statuses to Altegio: batch after batch for each address, in the order in which they came.

A call for an address takes the oldest free batches when it is built, and keeps them until its end: after an
uncertain end the same statuses go again, which is harmless. One ordering key for each address keeps the statuses of a
message in order; a call that got no answer leaves it, and only newer statuses of its own messages wait for it
(`relay_batches.py`). A refused list is split until the wrong status stands alone, and what was not refused takes
turns with its parts; a refused address is told to staff.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum

from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alerts
from integrations.altegio import requests
from integrations.altegio.answers import Answer, Outcome, read_code
from integrations.altegio.requests import ApiRequest, Host
from integrations.messaging.models import BatchState, CallbackAddress, MessageStatus, StatusBatch
from integrations.messaging.relay_batches import carried_by, free_batches, let_rest, move, split, take_batches
from integrations.messaging.status_addresses import InvalidStatusAddressError, Target, is_documented, path_with_token
from integrations.outbox.call_kinds import CallKind, ObsoleteError, register
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.outbox.queue import queue_newest_of_each
from partner_portal.core.english import english as _

# The ordering key of the call for what has rested; by address.
RESTED = "rested-statuses:{}"
# The key of the alert about it; by address.
REFUSED_ADDRESS = "statuses-refused:{}"


def queue_relays(addresses: Iterable[int]) -> None:
    """Make sure that a call will go out to each of these addresses; in the caller's transaction."""
    queue_newest_of_each(
        RelayStatuses,
        {f"statuses:{pk}": {"ordering_key": f"statuses:{pk}", "address": pk} for pk in sorted(addresses)},
    )


@register
class RelayStatuses(CallKind):
    """docs/altegio.md §2, SMS statuses. A status repeated is harmless."""

    name = "sms_statuses"
    title = _("Message statuses")
    priority = Priority.BULK
    idempotent = True
    yes_is_enough = True

    def request(self, call: OutgoingCall) -> ApiRequest:
        batches = carried_by(call) or _take(call)
        if not batches:
            raise ObsoleteError("No status for this address may go now.")
        address = CallbackAddress.objects.get(pk=call.params["address"])
        try:
            path = path_with_token(address)
        except InvalidStatusAddressError as why:
            _refuse_all(address, str(why))
            raise ObsoleteError(str(why)) from None
        return requests.message_statuses(
            cast("Host", address.host),
            path,
            [on_the_wire(status) for status in _statuses(batches)],
            token=settings.ALTEGIO_PARTNER_TOKEN,
        )

    def proves_token(self, call: OutgoingCall) -> bool:
        address = CallbackAddress.objects.get(pk=call.params["address"])
        return is_documented(Target(address.host, address.path))

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        clear_alerts(key=REFUSED_ADDRESS.format(call.params["address"]))
        StatusBatch.objects.filter(pk__in=carried_by(call)).update(state=BatchState.SENT)
        _go_on(call)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        batches = list(StatusBatch.objects.select_for_update().filter(pk__in=carried_by(call)).order_by("first_id"))
        statuses = list(_statuses([batch.pk for batch in batches]).values_list("pk", flat=True))
        is_address = answer.outcome is Outcome.UNAUTHORIZED
        if is_address:
            _tell_of_refused_address(call.params["address"], reason)
        if len(statuses) > 1 and not is_address:
            split(batches, statuses)
        else:
            StatusBatch.objects.filter(pk__in=[batch.pk for batch in batches]).update(
                state=BatchState.REFUSED, refusal=reason[:500], refusal_code=read_code(answer)
            )
        _go_on(call)

    def bring_back(self, call: OutgoingCall) -> bool:
        """What was split went on in other calls."""
        return send_refused_again(StatusBatch.objects.filter(call=call)) > 0

    def unanswered(self, call: OutgoingCall) -> None:
        """Only this call, and newer statuses of its messages, wait until Altegio is surely done with it."""
        let_rest(call)
        OutgoingCall.objects.filter(pk=call.pk).update(ordering_key="", coalesce_key="")
        _go_on(call)


@transaction.atomic
def send_refused_again(batches: QuerySet[StatusBatch], message_ids: Collection[str] | None = None) -> int:
    """Somebody knows that Altegio will take them now: those of these messages, or all. Returns how many statuses."""
    refused = batches.filter(state=BatchState.REFUSED)
    if message_ids is not None:
        refused = refused.filter(pk__in=MessageStatus.objects.filter(message_id__in=message_ids).values("batch"))
        _part_from_others(refused, message_ids)
    addresses = set(refused.values_list("address", flat=True))
    count: int = refused.aggregate(count=Sum("size"))["count"] or 0
    refused.update(state=BatchState.WAITING, call=None, alone=True, refusal="", refusal_code=None)
    queue_relays(addresses)
    return count


def _part_from_others(refused: QuerySet[StatusBatch], message_ids: Collection[str]) -> None:
    """Let the batches hold the statuses of these messages alone: the others stay refused, in batches of their own."""
    for batch in refused.filter(size__gt=1).select_for_update().order_by("pk"):
        others = list(batch.statuses.exclude(message_id__in=message_ids).values_list("pk", flat=True))
        if others:
            fields = {"refusal": batch.refusal, "refusal_code": batch.refusal_code}
            move(others, [batch], state=BatchState.REFUSED, **fields)


def on_the_wire(status: MessageStatus) -> dict[str, Any]:
    """A status as Altegio takes it: what is known goes out, sums exact and without idle zeros."""
    payload: dict[str, Any] = {
        "id": int(status.message_id) if status.id_is_number else status.message_id,
        "status": status.status,
    }
    if status.payment_sum is not None:
        payload["payment_sum"] = _plain(status.payment_sum)
    if status.currency_iso:
        payload["currency_iso"] = status.currency_iso
    if status.parts_amount is not None:
        payload["parts_amount"] = status.parts_amount
    return payload


def _statuses(batches: list[int]) -> QuerySet[MessageStatus]:
    return MessageStatus.objects.filter(batch__in=batches).order_by("pk")


def _tell_of_refused_address(address: int, reason: str) -> None:
    """The other statuses of the address would fare no better, and only staff see it."""
    text = (
        f"Altegio answers 401 at {CallbackAddress.objects.get(pk=address)}: {reason} The message statuses for this "
        "address are refused. See whether the gateway reports the address that came with the message, then send "
        "them again from the list of batches."
    )
    raise_alerts([(Alert.Kind.CALL, REFUSED_ADDRESS.format(address), text, None)])


def _refuse_all(address: CallbackAddress, why: str) -> None:
    """Nothing is sent to this address: what waits for it ends with our words."""
    waiting = StatusBatch.objects.filter(address=address, state=BatchState.WAITING)
    waiting.update(state=BatchState.REFUSED, refusal=why[:500], refusal_code=None)


@transaction.atomic
def _take(call: OutgoingCall) -> list[int]:
    """What may go now; for what has to rest a call is queued that goes after its rest."""
    batches, rests_until = take_batches(call)
    if rests_until is not None:
        address = call.params["address"]
        key = RESTED.format(address)
        queue_newest_of_each(RelayStatuses, {key: {"ordering_key": key, "address": address}})
        waking = OutgoingCall.objects.filter(coalesce_key=key, state=CallState.QUEUED)
        waking.update(due_at=rests_until)
    return batches


def _go_on(call: OutgoingCall) -> None:
    """Whatever waits for the address after this call goes with the next one."""
    address = call.params["address"]
    if free_batches().filter(address=address).exists():
        queue_relays([address])


def _plain(value: Decimal) -> Decimal:
    """Without idle zeros, and never in the form 1E+2."""
    trimmed = value.normalize()
    return trimmed.quantize(Decimal(1)) if trimmed == trimmed.to_integral_value() else trimmed
