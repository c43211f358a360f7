"""The whole way over HTTP: Altegio hands a message over, the gateway reports, the status comes back to Altegio."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from integrations.connections.models import Application, Connection
from sandbox import Sandbox
from tests.response import Api


@pytest.mark.django_db(transaction=True)
def test_from_altegio_to_the_gateway_and_back(
    altegio: Sandbox, connect: Callable[..., Connection], api: Api, work: Callable[..., None], live_server: Any
) -> None:
    connect(10101)
    Application.objects.update(takes_messages=True)
    altegio.portal_url = live_server.url
    try:
        altegio.configure(message_destinations="list", message_id_name="send_id")
        altegio.send_messages(10101, count=3, text="See you at 10")
        assert altegio.callbacks.wait()
    finally:
        altegio.portal_url = "http://localhost:8000"
    sent = altegio.sent_messages()
    assert [(item["code"], item["problem"]) for item in sent] == [(200, "")] * 3

    read = api("get", "sms/messages/?state=requested").json()["results"]
    assert [item["ext_id"] for item in read] == [item["ext_id"] for item in sent]
    api("post", "sms/statuses/", [{"ext_id": item["ext_id"], "status": 4} for item in read])
    work()
    assert [item["statuses"] for item in altegio.sent_messages()] == [[4], [4], [4]]
    page = requests.get(f"{altegio.app_url}/messages/", timeout=5).text
    assert page.count("sent to phone") == 3
