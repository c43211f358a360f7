"""Handlers of callbacks: a feature above registers itself for an event, as billing does for payments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint, import_path

# Gets the callback's body, without its secrets and with its numbers as the text that came, and the connection that it
# is about, or None if none is known. Runs in the transaction that marks the callback. A callback may come twice, so
# the same body again must change nothing.
CallbackHandler = Callable[[dict[str, Any], Connection | None], None]


@dataclass(frozen=True)
class CallbackSubscription:
    """A handler for one event."""

    event: str
    handler: CallbackHandler


CALLBACK_HANDLERS = ExtensionPoint[CallbackSubscription](
    "callback handlers",
    "Who wants to hear of a callback of one event.",
)


def register_callback_handler(event: str, handler: CallbackHandler) -> None:
    """Register `handler` for every callback whose `event` is this one."""
    CALLBACK_HANDLERS.register(f"{event}: {import_path(handler)}", CallbackSubscription(event, handler))


def handlers_of(event: str) -> list[CallbackHandler]:
    """Return the handlers registered for `event`."""
    return [each.handler for each in CALLBACK_HANDLERS if each.event == event]
