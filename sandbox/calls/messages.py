"""Sender names, channels and SMS statuses (docs/altegio.md §2)."""

from __future__ import annotations

from typing import Any

from sandbox import checks
from sandbox.calls.registry import API, Call, call, call_on_either_host
from sandbox.refusals import RefusalError
from sandbox.wire import Response, envelope
from sandbox.world import World

SMS_STATUSES = frozenset({1, 2, 4, 8, 16, 52})
PRICED_STATUSES = frozenset({1, 8})
SMS_FIELDS = frozenset({"id", "status", "payment_sum", "currency_iso", "parts_amount"})
NOT_A_LIST, BAD_ITEM = 5, 10
REFUSED_CODES = {403: 15, 404: 30}


@call("short_names", "POST", "/marketplace/partner/short_names")
def short_names(world: World, call: Call) -> Response:
    """Replace the sender names: each call sends the whole list."""
    body = call.fields()
    location_id = body.integer("salon_id")
    application_id = body.integer("application_id")
    names = body.list_of("short_names", checks.short_name, least=1, most=checks.MAX_SHORT_NAMES)
    body.finish()
    world.installed(application_id, location_id).short_names = list(names)
    world.touch()
    return envelope(None)


@call_on_either_host("channel", "POST", "/marketplace/application/update_channel")
def update_channel(world: World, call: Call) -> Response:
    body = call.fields()
    location_id = body.integer("salon_id")
    application_id = body.integer("application_id")
    slug = body.choice("channel_slug", ("sms", "whatsapp"))
    is_available = body.boolean("is_available")
    body.finish()
    world.installed(application_id, location_id).channels[slug] = is_available
    world.touch()
    return envelope(None)


@call("sms_statuses", "POST", "/smsprovider/status/callback/<token>", by_path=True)
# The `delivery_callback_url` may differ from message to message.
@call("sms_statuses", "POST", "/smsprovider/{way}/status/callback/<token>", by_path=True)
def sms_statuses(world: World, call: Call) -> Response:
    return _take_statuses(world, call.json)


@call("sms_statuses", "POST", API + "/delivery/status")
def delivery_status(world: World, call: Call) -> Response:
    """Accept the same list at the address of the public reference."""
    return _take_statuses(world, call.json)


def _take_statuses(world: World, items: Any) -> Response:
    """Store all statuses or none: one wrong item refuses the whole list."""
    if not isinstance(items, list) or not items:
        raise RefusalError(400, "invalid", {"body": ["must be a list that is not empty"]}, NOT_A_LIST)
    errors = {str(index): [text] for index, item in enumerate(items) if (text := _problem(item))}
    if errors:
        raise RefusalError(400, "invalid", errors, BAD_ITEM)
    for item in items:
        refused = world.refused_sms.get(str(item["id"]))
        if refused is not None:
            raise RefusalError(refused, "no_sms", code=REFUSED_CODES.get(refused))
    world.state.sms_statuses.extend(_storable(item) for item in items)
    world.touch()
    return envelope(None)


def _problem(item: Any) -> str | None:
    if not isinstance(item, dict):
        return "must be an object"
    if unknown := item.keys() - SMS_FIELDS:
        return f"has unknown fields: {', '.join(sorted(unknown))}"
    if not isinstance(item.get("id"), str | int) or isinstance(item["id"], bool) or item["id"] == "":
        return "id is required"
    if not checks.is_integer(item.get("status")) or item["status"] not in SMS_STATUSES:
        return "status must be one of 1, 2, 4, 8, 16, 52"
    return _price_problem(item)


def _price_problem(item: dict[str, Any]) -> str | None:
    """Return the problem with an item's price, or None. Statuses 1 and 8 need the sum, the currency and the parts."""
    priced = item["status"] in PRICED_STATUSES
    total: Any = item.get("payment_sum")
    currency: Any = item.get("currency_iso")
    parts: Any = item.get("parts_amount")
    if (priced or total is not None) and not (checks.is_number(total) and total >= 0):
        return "payment_sum must be a number"
    if (priced or currency is not None) and not checks.CURRENCY.fullmatch(str(currency)):
        return "currency_iso must be an ISO 4217 code"
    if (priced or parts is not None) and not (checks.is_integer(parts) and parts >= 0):
        return "parts_amount must be a whole number"
    return None


def _storable(item: dict[str, Any]) -> dict[str, Any]:
    total = item.get("payment_sum")
    return {**item, "payment_sum": None if total is None else str(total)}
