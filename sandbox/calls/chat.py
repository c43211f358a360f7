"""The chat panel of a live connection, and signals about chats (docs/altegio.md §2)."""

from __future__ import annotations

from sandbox.calls.registry import Call, call
from sandbox.models import Connection, Status
from sandbox.refusals import RefusalError
from sandbox.wire import Response, envelope
from sandbox.world import World

MAX_SHOWN = 50


@call("install_frame", "POST", "/marketplace/application/install_frame")
def install_frame(world: World, call: Call) -> Response:
    """Set the chat panel, or remove it if the address is null.

    Beyond the location's limit no panel is created, and the answer is the same.
    """
    body = call.fields()
    location_id, application_id = body.integer("salon_id"), body.integer("application_id")
    body.choice("type", ("chat",))
    url = body.optional_text("url")
    body.finish()
    connection = _active(world, application_id, location_id)
    if url is None or connection.chat_panel is not None or _is_room(world, location_id):
        connection.chat_panel = url
    world.touch()
    return envelope(None)


def _is_room(world: World, location_id: int) -> bool:
    most = world.settings.max_chat_panels
    panels = [item for item in world.state.connections if item.location_id == location_id and item.chat_panel]
    return most is None or len(panels) < most


@call("new_message", "POST", "/marketplace/application/new_message")
def new_message(world: World, call: Call) -> Response:
    connection, signal = _read_signal(world, call)
    connection.chat_messages = [*connection.chat_messages, signal][-MAX_SHOWN:]
    world.touch()
    return envelope(None)


@call("toggle_highlight", "POST", "/marketplace/application/toggle_highlight")
def toggle_highlight(world: World, call: Call) -> Response:
    """Toggle the chat's highlight: each call reverses it."""
    connection, signal = _read_signal(world, call)
    phones = set(connection.chat_highlights) ^ {signal["phone_from"]}
    connection.chat_highlights = sorted(phones)
    world.touch()
    return envelope(None)


def _read_signal(world: World, call: Call) -> tuple[Connection, dict[str, str]]:
    body = call.fields()
    location_id, application_id = body.integer("salon_id"), body.integer("application_id")
    signal = {name: body.text(name) for name in ("phone_from", "message", "name")}
    body.finish()
    return _active(world, application_id, location_id), signal


def _active(world: World, application_id: int, location_id: int) -> Connection:
    connection = world.installed(application_id, location_id)
    if connection.status is not Status.ACTIVE:
        raise RefusalError(403, "not_installed")
    return connection
