"""Telephony: on and off for a chain, call notifications, phone calls (docs/altegio.md §2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.calls.registry import API, Call, call
from sandbox.checks import Fields
from sandbox.refusals import RefusalError
from sandbox.wire import Response, envelope
from sandbox.world import World

CALL_TYPES = ("incoming", "outgoing", "internal")
CALL_STATUSES = ("success", "missed")
MAX_PAGE = 1000


@call("voip", "POST", API + "/voip/integration")
def integration(world: World, call: Call) -> Response:
    """Handle the three commands of this address; each answers 202."""
    body = call.fields()
    command = body.choice("command", ("setup", "event", "history"))
    crm_token = body.text("crm_token")
    record = {"setup": _setup, "event": _event, "history": _history}[command](body)
    body.finish()
    chain = world.chain_by_token(crm_token)
    if command == "setup":
        chain.telephony_enabled = record["type"] == "enable"
    entry = {"chain_id": chain.id, "command": command, **record}
    if command == "history" and record["call_id"] is not None and world.settings.knows_call_ids:
        _forget(world, chain.id, record["call_id"])
    world.state.telephony.append(entry)
    world.touch()
    return envelope(None, 202)


@call("voip_calls", "GET", API + "/voip/integration/calls", by_user=True)
def phone_calls(world: World, call: Call) -> Response:
    """Return the stored phone calls of the location's chain, newest first."""
    location = world.location(call.query_integer("salon_id"))
    page = call.query_integer("page", default=1)
    limit = min(call.query_integer("limit", default=25, most=MAX_PAGE), world.settings.call_list_page)
    rows = [
        item
        for item in reversed(world.state.telephony)
        if item["command"] == "history" and item["chain_id"] == location.chain_id and _wanted(item, call)
    ]
    hidden = {"command", "chain_id"}
    shown = [{k: v for k, v in row.items() if k not in hidden} for row in rows[(page - 1) * limit : page * limit]]
    return envelope(shown, meta={"count": len(rows)})


def _forget(world: World, chain_id: int, call_id: str) -> None:
    """Remove the earlier record of a phone call: a later one with the same `call_id` takes its place."""
    known = ("history", chain_id, call_id)
    world.state.telephony[:] = [
        item for item in world.state.telephony if (item["command"], item["chain_id"], item.get("call_id")) != known
    ]


def _setup(body: Fields) -> dict[str, Any]:
    return {"type": body.choice("type", ("enable", "disable"))}


def _event(body: Fields) -> dict[str, Any]:
    return {
        "type": body.choice("type", ("incoming",)),
        "phone": body.text("phone"),
        "diversion": body.text("diversion"),
        "user": body.optional_text("user"),
    }


def _history(body: Fields) -> dict[str, Any]:
    record: dict[str, Any] = {
        "type": body.choice("type", CALL_TYPES),
        "phone": body.text("phone"),
        "diversion": body.text("diversion"),
        "user": body.optional_text("user"),
        "link": body.optional_text("link"),
        "call_id": body.optional_text("call_id"),
        "date": body.optional_text("date"),
    }
    record["duration"] = body.integer("duration", low=0) if body.has("duration") else None
    record["status"] = body.choice("status", CALL_STATUSES) if body.has("status") else None
    if record["date"] is not None and not _is_iso(record["date"]):
        body.wrong("date", "must be an ISO 8601 date-time")
    return record


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return "T" in text


def _wanted(item: dict[str, Any], call: Call) -> bool:
    return (
        _among(item["phone"], call.query.get("phone"))
        and _among(item["type"], call.query.get("types"))
        and _among(item["status"], call.query.get("statuses"))
        and _from(call) <= (item["date"] or "")[:10] <= _to(call)
    )


def _among(value: object, wanted: list[str] | None) -> bool:
    return not wanted or value in ",".join(wanted).split(",")


def _from(call: Call) -> str:
    return _day(call, "date_from", "")


def _to(call: Call) -> str:
    return _day(call, "date_to", "9999-12-31")


def _day(call: Call, name: str, default: str) -> str:
    texts = call.query.get(name, [])
    if not texts:
        return default
    try:
        return datetime.fromisoformat(texts[0]).date().isoformat()
    except ValueError:
        raise RefusalError(422, "invalid", {name: ["must be a date"]}) from None
