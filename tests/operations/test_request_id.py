"""One id follows a call from the arrival's request to the attempt at Altegio, in rows and in log lines."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations.connections.models import Arrival
from integrations.outbox.models import Attempt, OutgoingCall
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive

pytestmark = pytest.mark.django_db


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    """The structured log lines of one event, in order."""
    payload = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in payload if line["event"] == event]


def test_it_leads_from_the_answer_to_the_arrival_and_every_attempt(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    request_id = arrive(client, altegio, [AURORA_1, AURORA_2])["X-Request-ID"]
    work()
    assert Arrival.objects.get().request_id == request_id
    sent = Attempt.objects.filter(call__kind="activate").values_list("call__request_id", flat=True)
    assert list(sent) == [request_id, request_id]


def test_it_stands_on_every_log_line_of_the_worker_about_the_call(
    client: Client, altegio: Sandbox, work: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "integrations.outbox.executor")
    altegio.fault("drop_before", "activate")
    request_id = arrive(client, altegio, AURORA_1)["X-Request-ID"]
    work()

    call = OutgoingCall.objects.get(kind="activate")
    payload = [line for line in lines(caplog, "altegio_answered") if line["call"] == call.pk]
    assert len(payload) == Attempt.objects.filter(call=call).count() > 1
    assert {line["request_id"] for line in payload} == {request_id}


def test_each_request_has_its_own(client: Client, altegio: Sandbox) -> None:
    first, second = (arrive(client, altegio, location)["X-Request-ID"] for location in (AURORA_1, AURORA_2))
    assert first != second
    assert set(OutgoingCall.objects.values_list("request_id", flat=True)) == {first, second}


def test_what_no_request_led_to_has_none(
    client: Client, altegio: Sandbox, work: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """The id of one call does not stay with the worker for the next."""
    caplog.set_level(logging.INFO, "integrations.outbox.executor")
    request_id = arrive(client, altegio, AURORA_1)["X-Request-ID"]
    work()
    fetched = OutgoingCall.objects.get(kind="fetch_locations")
    assert fetched.request_id == request_id
    OutgoingCall.objects.filter(pk=fetched.pk).update(state="queued", request_id="", finished_at=None)
    caplog.clear()
    work()
    assert [line["request_id"] for line in lines(caplog, "altegio_answered")] == [""]
