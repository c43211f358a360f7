"""The state of a requested message, which follows from its statuses and never goes back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from integrations.messaging.bulk_insert import StatusRow
from integrations.messaging.models import RequestedMessage, SmsStatus
from integrations.messaging.parsing import ReportedStatus
from integrations.messaging.status_addresses import Target, default_target
from partner_portal.core.many_values import any_of

State = RequestedMessage.State
STATE_OF: dict[int, RequestedMessage.State] = {
    SmsStatus.HANDED_OVER: State.HANDED_OVER,
    SmsStatus.SENT_TO_PHONE: State.SENT_TO_PHONE,
    SmsStatus.NOT_ENOUGH_FUNDS: State.NOT_ENOUGH_FUNDS,
    SmsStatus.REJECTED: State.REJECTED,
    SmsStatus.NOT_DELIVERED: State.NOT_DELIVERED,
    SmsStatus.DELIVERED: State.DELIVERED,
}
# A state only replaces those before it in this order, so that a late "sent to phone" does not undo "delivered".
ORDER = tuple(State)


def follow_statuses(rows: Iterable[StatusRow]) -> None:
    """Advance the messages of stored statuses, in the caller's transaction; at most one update for each state."""
    reached: dict[int, RequestedMessage.State] = {}
    for row in rows:
        if (key := row.requested_message_id) is not None:
            reached[key] = max(reached.get(key, State.REQUESTED), STATE_OF[row.status], key=ORDER.index)
    if not reached:
        return
    by_state = defaultdict(list)
    for key, state in reached.items():
        by_state[state].append(key)
    messages = RequestedMessage.objects.filter(pk__in=reached)
    # The fixed lock order prevents deadlocks between two reports about the same messages.
    list(messages.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    for state, keys in by_state.items():
        messages.filter(pk__in=keys, state__in=ORDER[: ORDER.index(state)]).update(state=state)


def keys_of_messages(reported: Sequence[ReportedStatus], named: Mapping[int, int]) -> dict[int, int]:
    """Return the keys of the requested messages that statuses are about, by the statuses' indexes.

    `named` holds those that were named by `ext_id`. The others are found by send id and address, by which Altegio
    distinguishes messages.
    """
    send_ids = {str(status["id"]) for index, status in enumerate(reported) if index not in named}
    messages = RequestedMessage.objects.filter(send_id__in=any_of(send_ids)).order_by("pk")
    stored = list(messages.values_list("pk", "send_id", "callback")) if send_ids else []
    if not stored:
        return dict(named)
    default, by_name = default_target(), dict[tuple[str, Target], int]()
    for key, send_id, callback in stored:
        by_name[send_id, Target.unpacked(callback)] = key
    names = [(str(status["id"]), status.get("delivery_callback_url") or default) for status in reported]
    return {index: by_name[name] for index, name in enumerate(names) if name in by_name} | dict(named)
