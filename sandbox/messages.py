"""Messages that Altegio sends through the partner (docs/altegio.md §4a), and its reading of the answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

from sandbox.callbacks import Callbacks, exchange
from sandbox.models import Connection, Message
from sandbox.settings import Settings
from sandbox.wire import read_json, write_json
from sandbox.world import World

PHONE = 36_301_000_000
DEFAULT_TEXT = "We look forward to seeing you tomorrow at 10:00."


def new_messages(world: World, connection: Connection, count: int, text: str, sender: str) -> list[Message]:
    """Create so many messages, each to another number, with new send ids. The caller holds the lock."""
    at = world.clock().isoformat()
    first = world.state.last_send_id + 1
    world.state.last_send_id += count
    made = [
        Message(
            id=f"send-{number}",
            location_id=connection.location_id,
            application_id=connection.application_id,
            phone=str(PHONE + number),
            text=text,
            sender=sender,
            at=at,
        )
        for number in range(first, first + count)
    ]
    world.state.messages.extend(made)
    return made


def requests_of(settings: Settings, messages: Sequence[Message], address: str) -> list[tuple[Any, list[Message]]]:
    """Return the request bodies, each with its messages: one for all if destinations are a list, else one each."""
    groups = [list(messages)] if settings.message_destinations == "list" else [[item] for item in messages]
    return [(_body(settings, group, address), group) for group in groups]


def _body(settings: Settings, messages: list[Message], address: str) -> dict[str, Any]:
    destinations = [{settings.message_id_name: item.id, settings.message_phone_name: item.phone} for item in messages]
    is_list = settings.message_destinations == "list"
    return {
        "destination_params": destinations if is_list else destinations[0],
        "from": messages[0].sender,
        "text": messages[0].text,
        settings.message_channel_name: "sms",
        "dispatch_type": "service",
        "delivery_callback_url": address,
    }


def send(callbacks: Callbacks, world: World, api_key: str, body: Any, messages: list[Message]) -> None:
    """Send the messages of one body to the portal, in the background."""
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def post() -> None:
        started = time.monotonic()
        try:
            status, answer = exchange(f"{callbacks.portal_url}/altegio/messages/", write_json(body), headers)
            outcome = read_answer([item.id for item in messages], status, answer)
        except (OSError, HTTPException) as error:
            status, outcome = 0, [("", "", str(error) or type(error).__name__)] * len(messages)
        with world.lock:
            for item, (ext_id, refusal, problem) in zip(messages, outcome, strict=True):
                item.code, item.seconds = status, round(time.monotonic() - started, 3)
                item.ext_id, item.refusal, item.problem = ext_id, refusal, problem
        world.touch()

    callbacks.submit(post)


def read_answer(ids: Sequence[str], status: int, body: bytes) -> list[tuple[str, str, str]]:
    """Return for each id the ext_id, the reason not to send, and how the answer deviates from the documentation."""
    if status == 404:
        return [
            ("", "", "answered 404: the application does not take messages, as its record at the partner says")
        ] * len(ids)
    if status != 200:
        return [("", "", f"answered {status}: {body[:200].decode(errors='replace')}")] * len(ids)
    try:
        items = read_json(body)
    except ValueError:
        items = None
    if not isinstance(items, list) or len(items) != len(ids):
        return [("", "", "no list with one object for each destination")] * len(ids)
    return [_read_item(wanted, item) for wanted, item in zip(ids, items, strict=True)]


def _read_item(wanted: str, item: Any) -> tuple[str, str, str]:
    if not isinstance(item, dict) or item.get("id") != wanted:
        return "", "", f"no object with the id {wanted} in its place"
    match item:
        case {"ext_id": str(ext_id)} if ext_id and "error_code" not in item:
            return ext_id, "", ""
        case {"error_code": int(code), "error_message": str(words)} if "ext_id" not in item:
            return "", f"{code}: {words}", ""
    return "", "", "neither an ext_id nor an error_code with its error_message"
