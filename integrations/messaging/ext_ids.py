"""Resolution of statuses that name a requested message by `ext_id`: its send id and address are filled in."""

from typing import Any

from integrations.altegio.wire import parse_id
from integrations.messaging.models import RequestedMessage
from integrations.messaging.parsing import InvalidStatusesError
from integrations.messaging.status_addresses import Target, target_url
from partner_portal.core.english import english as _

EITHER = _("Write either id or ext_id.")
UNKNOWN = _("There is no such message.")


def with_send_ids(items: Any) -> tuple[Any, dict[int, int]]:
    """Return the items with each `ext_id` replaced by `id` and address, and their messages' keys by item index.

    Raises InvalidStatusesError for an `ext_id` that no message has, or that stands beside an `id`. Any other fault is
    left to `read_statuses`.
    """
    if not isinstance(items, list):
        return items, {}
    wanted = {
        index: parse_id(item["ext_id"])
        for index, item in enumerate(items)
        if isinstance(item, dict) and item.get("ext_id") is not None
    }
    if not wanted:
        return items, {}
    messages = _messages({key for key in wanted.values() if key is not None})
    problems = {
        str(index): {"ext_id": [UNKNOWN if key not in messages else EITHER]}
        for index, key in wanted.items()
        if key not in messages or items[index].get("id") is not None
    }
    if problems:
        raise InvalidStatusesError(problems)
    found = {index: messages[key] for index, key in wanted.items() if key is not None}
    named = [_named(item, found[index]) if index in found else item for index, item in enumerate(items)]
    return named, {index: message.pk for index, message in found.items()}


def _messages(keys: set[int]) -> dict[int, RequestedMessage]:
    columns = ("send_id", "id_is_number", "callback")
    return RequestedMessage.objects.only(*columns).in_bulk(keys)


def _named(item: dict[str, Any], message: RequestedMessage) -> dict[str, Any]:
    rest = {name: value for name, value in item.items() if name != "ext_id"}
    return {**rest, "id": message.wire_id, "delivery_callback_url": target_url(Target.unpacked(message.callback))}
