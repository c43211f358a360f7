"""The short path in: the same answers, without what only browsers need."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory
from pytest_django.fixtures import DjangoAssertNumQueries

from integrations.connections.models import Installation
from partner_portal.core.bounded_body import HttpError, read_body
from partner_portal.core.fast_path import with_short_path
from tests.integrations.lifecycle.test_callbacks import TOKEN
from tests.integrations.webhooks.test_receiving import GOOD

pytestmark = pytest.mark.django_db


def call(application: Any, path: str, body: bytes = b"", method: str = "POST", **environ: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], _exc: object = None) -> None:
        answer.update(status=int(status[:3]), headers=dict(headers))

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    } | environ
    answer["body"] = b"".join(application(environ, start))
    return answer


@pytest.fixture
def application() -> Iterator[Any]:
    """The test's transaction stands on the connection that the end of a request would close."""
    application = with_short_path()
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield application
    for signal in signals:
        signal.connect(close_old_connections)


def test_a_callback_and_an_event_are_taken_without_middleware(
    application: Any, keys: Installation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    body = {"salon_id": 1, "application_id": 1, "event": "freeze", "partner_token": TOKEN}
    with django_assert_num_queries(1):
        answer = call(application, "/altegio/callback/", json.dumps(body).encode())
    assert (answer["status"], answer["headers"].get("X-Request-ID")) == (200, None)
    call(application, f"/altegio/events/{keys.events_key}/", json.dumps(GOOD).encode())
    with django_assert_num_queries(1):
        answer = call(application, f"/altegio/events/{keys.events_key}/", json.dumps(GOOD).encode())
    assert answer["status"] == 200


def test_the_other_pages_keep_theirs(application: Any) -> None:
    assert "X-Request-ID" in call(application, "/healthz/", method="GET")["headers"]
    assert call(application, "/altegio/healthz/", method="GET")["status"] == 404


def test_a_body_that_says_it_is_too_long_is_not_read(rf: RequestFactory) -> None:
    request = rf.post("/altegio/callback/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = str(10**12)
    with pytest.raises(HttpError) as refusal:
        read_body(request, 100)
    assert refusal.value.status == 413
