"""Calls on the short path get the same answers, without what only browsers need."""

import json
from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import DjangoAssertNumQueries

from integrations.connections.models import Installation
from partner_portal.core.bounded_body import HttpError, read_body
from tests.callbacks import TOKEN
from tests.entity_events import GOOD
from tests.wsgi_calls import call

pytestmark = pytest.mark.django_db


def test_a_callback_and_an_event_are_taken_without_middleware(
    short_path: Any, keys: Installation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    body = {"salon_id": 1, "application_id": 1, "event": "freeze", "partner_token": TOKEN}
    with django_assert_num_queries(1):
        answer = call(short_path, "/altegio/callback/", json.dumps(body).encode())
    assert (answer["status"], answer["headers"].get("X-Request-ID")) == (200, None)
    call(short_path, f"/altegio/events/{keys.events_key}/", json.dumps(GOOD).encode())
    with django_assert_num_queries(1):
        answer = call(short_path, f"/altegio/events/{keys.events_key}/", json.dumps(GOOD).encode())
    assert answer["status"] == 200


def test_the_other_pages_keep_theirs(short_path: Any) -> None:
    assert "X-Request-ID" in call(short_path, "/healthz/", method="GET")["headers"]
    assert call(short_path, "/altegio/healthz/", method="GET")["status"] == 404


def test_a_body_that_says_it_is_too_long_is_not_read(rf: RequestFactory) -> None:
    request = rf.post("/altegio/callback/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = str(10**12)
    with pytest.raises(HttpError) as refusal:
        read_body(request, 100)
    assert refusal.value.status == 413
