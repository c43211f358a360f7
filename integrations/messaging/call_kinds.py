"""The relay of statuses to Altegio: batch after batch for each address, in the order in which they came.

A call for an address takes the oldest free batches when it is built, and keeps them until its end. After an uncertain
end the same statuses are sent again, which is harmless. One ordering key for each address keeps the statuses of a
message in order. A call that got no answer gives up that key, and only newer statuses of its own messages wait for it
(`relay_batches.py`). A refused list is split until the wrong status is alone in its batch, and batches that were not
refused take turns with the parts. Staff are alerted if an address is refused.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum

from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert
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

# The ordering key of the call that sends an address's batches after their rest.
RESTED = "rested-statuses:{}"
# The key of the alert about a refused address.
REFUSED_ADDRESS = "statuses-refused:{}"


def queue_relays(addresses: Iterable[int]) -> None:
    """Make sure that a call will be sent to each of these addresses; runs in the caller's transaction."""
    queue_newest_of_each(
        RelayStatuses,
        {f"statuses:{pk}": {"ordering_key": f"statuses:{pk}", "address": pk} for pk in sorted(addresses)},
    )


@register
class RelayStatuses(CallKind):
    """An outgoing call that reports statuses (docs/altegio.md §2, SMS statuses); repeating them is harmless."""

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
        """Let the call's refused batches wait again, if it has any; parts of a split list went on in other calls."""
        return send_refused_again(StatusBatch.objects.filter(call=call)) > 0

    def unanswered(self, call: OutgoingCall) -> None:
        """Let the call's batches rest and release the ordering key, so that only newer statuses of them wait."""
        let_rest(call)
        OutgoingCall.objects.filter(pk=call.pk).update(ordering_key="", coalesce_key="")
        _go_on(call)


@transaction.atomic
def send_refused_again(batches: QuerySet[StatusBatch], message_ids: Collection[str] | None = None) -> int:
    """Queue refused statuses again, those of the given messages or all, because Altegio is expected to accept them.

    Returns how many statuses there are.
    """
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
    """Move the statuses of other messages out of these batches; they stay refused in batches of their own."""
    for batch in refused.filter(size__gt=1).select_for_update().order_by("pk"):
        others = list(batch.statuses.exclude(message_id__in=message_ids).values_list("pk", flat=True))
        if others:
            fields = {"refusal": batch.refusal, "refusal_code": batch.refusal_code}
            move(others, [batch], state=BatchState.REFUSED, **fields)


def on_the_wire(status: MessageStatus) -> dict[str, Any]:
    """Return a status as Altegio accepts it: known values only, with exact sums and no trailing zeros."""
    payload: dict[str, Any] = {"id": status.wire_id, "status": status.status}
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
    """Alert staff that an address answers 401: its other statuses would be refused too, and nobody else sees it."""
    text = (
        f"Altegio answers 401 at {CallbackAddress.objects.get(pk=address)}: {reason} The message statuses for this "
        "address are refused. See whether the gateway reports the address that came with the message, then send "
        "them again from the list of batches."
    )
    raise_alert(Alert.Kind.CALL, REFUSED_ADDRESS.format(address), text)


def _refuse_all(address: CallbackAddress, why: str) -> None:
    """Mark all batches that wait for this address as refused, with the portal's own reason."""
    waiting = StatusBatch.objects.filter(address=address, state=BatchState.WAITING)
    waiting.update(state=BatchState.REFUSED, refusal=why[:500], refusal_code=None)


@transaction.atomic
def _take(call: OutgoingCall) -> list[int]:
    """Take the batches that may go now; return their keys, and queue a call for those that must rest until then."""
    batches, rests_until = take_batches(call)
    if rests_until is not None:
        address = call.params["address"]
        key = RESTED.format(address)
        queue_newest_of_each(RelayStatuses, {key: {"ordering_key": key, "address": address}})
        waking = OutgoingCall.objects.filter(coalesce_key=key, state=CallState.QUEUED)
        waking.update(due_at=rests_until)
    return batches


def _go_on(call: OutgoingCall) -> None:
    """Queue the next call to the address if batches are still free."""
    address = call.params["address"]
    if free_batches().filter(address=address).exists():
        queue_relays([address])


def _plain(value: Decimal) -> Decimal:
    """Return the value without trailing zeros, and never in exponent notation like 1E+2."""
    trimmed = value.normalize()
    return trimmed.quantize(Decimal(1)) if trimmed == trimmed.to_integral_value() else trimmed
