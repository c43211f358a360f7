"""Altegio hands a message over, as docs/altegio.md §4a has it."""

from typing import Any

from django.test import Client

from integrations.connections.models import Application, Connection
from tests.response import Response

MESSAGES = "/altegio/messages/"
PHONE, TEXT = "36301234567", "See you at 10"


def message(send_id: Any = "s1", **fields: Any) -> dict[str, Any]:
    """What Altegio sends for one number; `None` leaves a field out."""
    body = {
        "destination_params": {"id": send_id, "phone": PHONE},
        "from": "Aurora",
        "text": TEXT,
        "type": "sms",
        "dispatch_type": "service",
        "delivery_callback_url": "https://app.alteg.io/smsprovider/status/callback/partner-token-of-the-tests",
    } | fields
    return {name: value for name, value in body.items() if value is not None}


def many(count: int) -> list[dict[str, str]]:
    """`destination_params` of so many numbers."""
    return [{"id": f"m{number}", "phone": f"3630{number:07}"} for number in range(count)]


def request_message(client: Client, key: str, body: Any) -> Response:
    """Post `body` with the API key of a connection."""
    headers = {"Authorization": f"Bearer {key}"}
    return client.post(MESSAGES, body, content_type="application/json", headers=headers)


def take_messages_of(connection: Connection) -> str:
    """Switch the connection's application on; its key."""
    Application.objects.filter(pk=connection.application_id).update(takes_messages=True)
    return connection.installation.api_key
