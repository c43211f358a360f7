"""Helpers that post callbacks about a connection, signed as Altegio signs them (docs/altegio.md)."""

import hashlib
import hmac
import json
from typing import Any

from django.test import Client

from tests.response import Response

ADDRESS = "/altegio/callback/"
TOKEN = "partner-token-of-the-tests"


def send_callback(client: Client, event: str = "uninstall", salon_id: int | str = 10101, **more: Any) -> Response:
    body = {"salon_id": salon_id, "application_id": 1, "event": event, "partner_token": TOKEN} | more
    return post_callback(client, json.dumps(body))


def post_callback(client: Client, body: str | bytes) -> Response:
    return client.post(ADDRESS, body, content_type="application/json")


def signed(amount: Any, discount: Any = None) -> str:
    text = f"salon_id=10101&amount={amount}" + ("" if discount is None else f"&discount={discount}")
    return hmac.new(TOKEN.encode(), text.encode(), hashlib.sha256).hexdigest()
