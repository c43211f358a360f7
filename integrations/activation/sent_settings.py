"""The settings sent with an activation, and whether Altegio recorded them (docs/altegio.md §2, special_settings)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from integrations.connections.models import Connection, event_address
from partner_portal.core.encryption import same

API_KEY, EVENT_ADDRESS = "API key", "event address"


@dataclass(frozen=True)
class SentSettings:
    """The settings that are a location's own; `api_key` is "" if the application sends none."""

    api_key: str
    event_address: str


def sent_settings(connection: Connection) -> SentSettings:
    """Return what the connection's activation sends: the keys of its installation, which never change."""
    installation = connection.installation
    return SentSettings(
        api_key=installation.api_key if connection.application.gets_api_key else "",
        event_address=event_address(installation.events_key),
    )


def not_recorded(recorded: Any, sent: SentSettings) -> list[str]:
    """Return the names of the settings that were sent and that Altegio's record does not hold.

    No source names the record's fields, so each value is looked for anywhere in it.
    """
    texts = list(_texts(recorded))
    wanted = {API_KEY: sent.api_key, EVENT_ADDRESS: sent.event_address}
    return [name for name, value in wanted.items() if value and not any(same(text, value) for text in texts)]


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value; a value from outside is no deeper than `MAX_DEPTH`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
