"""Who wants to hear of a callback: what lies above registers itself for an event, as billing does for payments."""

from collections.abc import Callable
from typing import Any

from integrations.connections.models import Connection

# The callback's body, without its secrets and with its numbers as the text that came; the connection it
# speaks of, or None where none is known. Runs in the transaction that marks the callback; a callback may
# come twice, so the same body again must change nothing.
EventHandler = Callable[[dict[str, Any], Connection | None], None]

_handlers: dict[str, list[EventHandler]] = {}


def register_event_handler(event: str, handler: EventHandler) -> None:
    """Call `handler` for every callback whose `event` is this one."""
    _handlers.setdefault(event, []).append(handler)


def handlers_of(event: str) -> list[EventHandler]:
    """Who registered for `event`, in that order."""
    return list(_handlers.get(event, ()))
