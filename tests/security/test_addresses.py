"""Public addresses answer any bytes without an error and with bounded work."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts import limits
from accounts.models import User
from integrations.altegio.signatures import Person
from integrations.connect.arrivals import receive_signed
from integrations.connect.parameters import Redirect
from integrations.connections.models import Application, Installation
from integrations.lifecycle.models import Callback
from integrations.lifecycle.processing import process_waiting
from integrations.messaging.message_feed import place_waiting
from integrations.messaging.models import RequestedMessage
from integrations.webhooks.fan_out import fan_out
from integrations.webhooks.models import Event
from partner_portal.core.fast_path import with_short_path
from partner_portal.core.request_body import with_whole_body
from tests.security.watching import EXAMPLES, IS_SUITE, Watched
from tests.security.wire import (
    APPLICATION,
    LOCATION,
    OWNER,
    PERSON,
    Wire,
    arrivals,
    call,
    callbacks,
    events,
    looks,
    message_requests,
)

# One address of each part of the portal that anybody can reach.
OPEN = [
    "/",
    "/connect/status/old/",
    "/account/sign-in/",
    "/admin/login/",
    "/api/v1/connections/",
    "/api/v1/phone-calls/",
    "/altegio/callback/",
    "/healthz/",
    "/readyz/",
    "/nowhere/",
]
pytestmark = pytest.mark.django_db
# The limit holds however many locations an arrival names: they are claimed together.
MAX_QUERIES_OF_AN_ARRIVAL = 60
fuzzed = hypothesis_settings(
    max_examples=EXAMPLES,
    derandomize=IS_SUITE,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Watched]:
    """Yield the whole portal with an owner's location; at the end, log what the run was like."""
    monkeypatch.setattr("integrations.connect.views.limits.ARRIVALS", limits.Limit("arrivals", 10**9, 60))
    User.objects.create_superuser("staff@example.com", "x")
    application = Application.objects.create(altegio_id=APPLICATION)
    person = Person(OWNER, PERSON["name"], PERSON["phone"], PERSON["email"], PERSON["salon_name"])
    receive_signed(application, Redirect((LOCATION,), None, "", person))
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    whole = with_whole_body(with_short_path())
    call(whole, Wire("/connect/"))  # loads what is loaded once
    watched = Watched(whole)
    yield watched
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    with capfd.disabled():
        print(f"\n{watched}")


@fuzzed
@given(wire=arrivals())
def test_no_arrival_breaks_the_portal(portal: Watched, wire: Wire) -> None:
    assert portal.send(wire) in (200, 303, 400, 403, 404, 405)
    assert portal.most_queries <= MAX_QUERIES_OF_AN_ARRIVAL


@fuzzed
@given(wire=callbacks())
def test_no_callback_breaks_the_portal_or_its_worker(portal: Watched, wire: Wire) -> None:
    def work() -> None:
        process_waiting()
        assert not Callback.objects.filter(state=Callback.State.FAILED).exists()

    assert portal.send(wire, then=work) in (200, 400, 403, 405, 413)
    assert portal.most_queries <= 1


@fuzzed
@given(data=st.data())
def test_no_event_breaks_the_portal_or_its_worker(portal: Watched, data: Any) -> None:
    key = Installation.objects.get().events_key
    wire = data.draw(events(key))

    def work() -> None:
        fan_out()
        assert not Event.objects.filter(forwarded_at=None).exists()

    assert portal.send(wire, then=work) in (200, 400, 404, 405, 413)
    assert portal.most_queries <= 2


@fuzzed
@given(data=st.data())
def test_no_message_breaks_the_portal_or_its_list(portal: Watched, data: Any) -> None:
    Application.objects.update(takes_messages=True)
    wire = data.draw(message_requests(Installation.objects.get().api_key))

    def read() -> None:
        place_waiting()
        assert all(message.text and message.wire_id for message in RequestedMessage.objects.exclude(position=None))

    assert portal.send(wire, then=read) in (200, 400, 401, 405, 413)
    assert portal.most_queries <= 5


@fuzzed
@given(wire=looks(OPEN))
def test_no_content_type_breaks_any_address(portal: Watched, wire: Wire) -> None:
    assert portal.send(wire) < 500 or wire.path == "/readyz/"
