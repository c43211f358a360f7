"""Intake of statuses: they are stored in bulk, in one transaction with the calls that relay them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction

from integrations.connections.models import Location
from integrations.messaging.bulk_insert import StatusRow, StatusRows
from integrations.messaging.call_kinds import queue_relays
from integrations.messaging.message_states import follow_statuses, keys_of_messages
from integrations.messaging.models import CallbackAddress, SmsStatus, StatusBatch
from integrations.messaging.parsing import ReportedStatus
from integrations.messaging.relay_batches import free_batches
from integrations.messaging.retold import take_retold
from integrations.messaging.status_addresses import Target, default_target, stored_addresses
from partner_portal.core.fast_insert import insert
from partner_portal.core.fast_query import Query
from partner_portal.core.left_out import Warnings, shortened
from partner_portal.core.queues import Queue

MAX_ADDRESSES = 1000
Reported = tuple[ReportedStatus, int | None]  # a status, and the primary key of its requested message
PROGRESS: dict[int, int] = {SmsStatus.HANDED_OVER: 0, SmsStatus.SENT_TO_PHONE: 1}
RELAYS = Queue.register(Queue("relays", "Addresses of message statuses", CallbackAddress))


def take_statuses(
    reported: Sequence[ReportedStatus], named: Mapping[int, int] | None = None, warnings: Warnings | None = None
) -> int:
    """Store statuses and queue their relay; return how many will be sent, since a mere repetition is not sent again.

    `named` holds the keys of the requested messages whose `ext_id` was named, by the statuses' indexes. The number of
    queries is constant, however many statuses there are.
    """
    default, by_target = default_target(), defaultdict[Target, list[Reported]](list)
    left_out, own = _by_index(warnings or []), defaultdict[Target, Warnings](list)
    messages = keys_of_messages(reported, named or {})
    for index, status in enumerate(reported):
        target = status.get("delivery_callback_url") or default
        by_target[target].append((status, messages.get(index)))
        if index in left_out:
            own[target] += left_out[index]
    stored = stored_addresses(by_target)
    addresses = [stored[target] for target in by_target]
    locations = _locations(reported)
    rows = [
        _row(status, message, number, address.pk, locations)
        for number, (address, statuses) in enumerate(zip(addresses, by_target.values(), strict=True), start=1)
        for status, message in _in_order(statuses)
    ]
    ready = StatusRows(rows)
    with transaction.atomic():
        batches = [
            StatusBatch(address=address, warnings=shortened(own[target]) or None)
            for target, address in zip(by_target, addresses, strict=True)
        ]
        insert(batches)
        held = ready.store([batch.pk for batch in batches])
        follow_statuses(rows)
        new, again = sum(held.values()), 0
        going = {batch.address_id for batch in batches if batch.pk in held}
        if new < len(rows):
            _take_turns(addresses)
            again, others = take_retold(rows)
            going |= others
        # The calls are queued last and together. Recording an answer locks batches before calls too, so none
        # deadlocks.
        queue_relays(going)
        return new + again


def _by_index(warnings: Warnings) -> dict[int, Warnings]:
    """Return the warnings about each status, by its index."""
    found: dict[int, Warnings] = {}
    for warning in warnings:
        found.setdefault(int(warning["field"].partition(".")[0]), []).append(warning)
    return found


def _in_order(statuses: list[Reported]) -> list[Reported]:
    """Return the statuses with those of one message together, in order of progress and its final status last."""
    places: dict[str, int] = {}
    for place, (status, _message) in enumerate(statuses):
        places.setdefault(str(status["id"]), place)
    if len(places) == len(statuses):
        return statuses
    return sorted(
        statuses, key=lambda one: (places[str(one[0]["id"])], PROGRESS.get(one[0]["status"], len(PROGRESS)))
    )


_lock_addresses = Query(
    lambda *keys: (
        CallbackAddress.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk").values_list("pk")
    )
)


def _take_turns(addresses: Iterable[CallbackAddress]) -> None:
    """Lock the addresses, so that only one report at a time, and no call, works on their stored statuses."""
    _lock_addresses.all(*(address.pk for address in addresses))


def _locations(reported: Sequence[ReportedStatus]) -> dict[int, int]:
    """Return the keys of the named locations that are known, by Altegio id; others are left out of the figures."""
    wanted = {salon_id for status in reported if (salon_id := status.get("salon_id")) is not None}
    if not wanted:
        return {}
    return dict(Location.objects.filter(altegio_id__in=wanted).values_list("altegio_id", "pk"))


def _row(
    status: ReportedStatus, message: int | None, batch: int, address: int, locations: dict[int, int]
) -> StatusRow:
    message_id = status["id"]
    # Positional arguments, because keyword arguments take half as long again.
    return StatusRow(
        batch,
        address,
        str(message_id),
        isinstance(message_id, int),
        status["status"],
        status.get("payment_sum"),
        status.get("currency_iso") or "",
        status.get("parts_amount"),
        locations.get(status.get("salon_id") or 0),
        message,
    )


def relay_what_was_left() -> int:
    """Queue a call for every address with waiting statuses, as after staff have ended a call; return how many.

    Beat calls this.
    """
    waiting = free_batches().order_by()
    addresses = RELAYS.ready(CallbackAddress.objects.filter(pk__in=waiting.values("address"))).order_by("pk")
    return RELAYS.work(list(addresses[:MAX_ADDRESSES]), lambda some: queue_relays(address.pk for address in some))
