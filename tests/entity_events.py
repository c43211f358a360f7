"""A helper that posts entity events to a location's own address, as Altegio does."""

import json
from typing import Any

from django.test import Client

from integrations.connections.models import Installation
from tests.response import Response

GOOD = {"company_id": 10101, "resource": "record", "resource_id": 1, "status": "create", "data": {"id": 1}}


def post_event(client: Client, keys: Installation, body: Any) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/altegio/events/{keys.events_key}/", data, content_type="application/json")
