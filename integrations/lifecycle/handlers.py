"""Who wants to hear of a callback: what lies above registers itself for an event, as billing does for payments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint, import_path

# The callback's body, without its secrets and with its numbers as the text that came; the connection it
# speaks of, or None where none is known. Runs in the transaction that marks the callback; a callback may
# come twice, so the same body again must change nothing.
CallbackHandler = Callable[[dict[str, Any], Connection | None], None]


@dataclass(frozen=True)
class CallbackSubscription:
    """Who wants to hear of which event."""

    event: str
    handler: CallbackHandler


CALLBACK_HANDLERS = ExtensionPoint[CallbackSubscription](
    "callback handlers",
    "Who wants to hear of a callback of one event.",
)


def register_callback_handler(event: str, handler: CallbackHandler) -> None:
    """Call `handler` for every callback whose `event` is this one."""
    CALLBACK_HANDLERS.register(f"{event}: {import_path(handler)}", CallbackSubscription(event, handler))


def handlers_of(event: str) -> list[CallbackHandler]:
    """Who registered for `event`."""
    return [each.handler for each in CALLBACK_HANDLERS if each.event == event]
