"""The API's schema tells of messages and calls."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_schema_holds_the_calls_of_the_interface(client: Client) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"})
    text = schema.content.decode()
    for path in (
        "/api/v1/connections/resolve-api-key/",
        "/api/v1/locations/{salon_id}/sender-names/",
        "/api/v1/sms/statuses/",
        "/api/v1/telephony/notifications/",
        "/api/v1/telephony/calls/",
    ):
        assert path in text
