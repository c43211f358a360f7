"""Events go on in batches, to receivers inside and to the partner's address, until they are taken or dead."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.alerts.models import Alert
from integrations.connections.models import Installation
from integrations.partner_events import sending
from integrations.webhooks.consumers import CONSUMERS
from integrations.webhooks.deliver import PAUSES, deliver_due, send_again
from integrations.webhooks.fan_out import fan_out, fan_out_again
from integrations.webhooks.models import Delivery, Event
from partner_portal.core.retention import delete_old
from tests.integrations.webhooks.test_receiving import GOOD, post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_receivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CONSUMERS, "_entries", {})


class Partner(ThreadingHTTPServer):
    """The partner's own system."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PartnerHandler)
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hooks?a=1"


class PartnerHandler(BaseHTTPRequestHandler):
    server: Partner

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers.items()), body))
        code = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(code)
        self.send_header("Content-Length", "0")
        if code == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Silent."""


@pytest.fixture
def partner(keys: Installation, settings: Settings) -> Iterator[Partner]:
    server = Partner()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.EVENTS_ALLOW_PRIVATE = True
    application = keys.application
    application.events_url, application.events_secret = server.url, sending.fresh_secret()
    application.save()
    yield server
    server.shutdown()
    server.server_close()


def due_now() -> None:
    Delivery.objects.filter(state="waiting").update(due_at=timezone.now())


def test_receivers_get_batches_and_each_event_once(client: Client, keys: Installation) -> None:
    got: list[Any] = []
    CONSUMERS.register("mine", got.append)
    for number in range(120):
        post(client, keys, GOOD | {"resource_id": number})
    assert fan_out() == 120
    assert fan_out() == 0
    deliver_due()
    deliver_due()

    assert [len(batch) for batch in got] == [100, 20]
    assert [event.body["resource_id"] for batch in got for event in batch] == list(range(120))
    assert got[0][0].salon_id == 10101


def test_an_event_that_a_receiver_cannot_take_stands_alone_at_last(client: Client, keys: Installation) -> None:
    got: list[Any] = []

    @CONSUMERS.add("picky")
    def take(events: Any) -> None:
        if any(event.body["resource_id"] == 5 for event in events):
            raise ValueError("five")
        got.extend(event.body["resource_id"] for event in events)

    for number in range(8):
        post(client, keys, GOOD | {"resource_id": number})
    fan_out()
    for _ in range(len(PAUSES) + 3):
        deliver_due()
        due_now()

    assert sorted(got) == [0, 1, 2, 3, 4, 6, 7]
    dead = Delivery.objects.get(state="dead")
    assert (dead.count, dead.error) == (1, "ValueError: five")
    assert Alert.objects.get().kind == "events"


def test_what_a_receiver_wrote_is_undone_when_it_fails(client: Client, keys: Installation) -> None:
    @CONSUMERS.add("half")
    def take(events: Any) -> None:
        Alert.objects.create(key="half", kind="call", text="written")
        raise ValueError("then failed")

    post(client, keys, GOOD)
    fan_out()
    deliver_due()
    assert not Alert.objects.exists()


def test_the_partner_gets_batches_signed_by_the_specification(
    client: Client, keys: Installation, partner: Partner
) -> None:
    post(client, keys, b'{"company_id": 10101, "price": 0.10, "name": "\xd0\x90\\ud800"}')
    fan_out()
    assert deliver_due() == 1

    path, headers, body = partner.received[0]
    assert path == "/hooks?a=1"
    headers = {name.lower(): value for name, value in headers.items()}
    secret = base64.b64decode(keys.application.events_secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    event = json.loads(body)["data"]["events"][0]
    assert (event["salon_id"], event["is_duplicate"]) == (10101, False)
    assert b'"price": 0.10' in body


def test_it_is_tried_again_with_the_same_id_then_dead_then_sent_again(
    client: Client, keys: Installation, partner: Partner
) -> None:
    partner.answers = [500] * (len(PAUSES) + 1)
    post(client, keys, GOOD)
    fan_out()
    for _ in range(len(PAUSES) + 3):
        deliver_due()
        due_now()
    assert Delivery.objects.get().state == "dead"
    assert Delivery.objects.get().error == "HTTP 500"

    assert send_again(Delivery.objects.all()) == 1
    deliver_due()
    assert Delivery.objects.get().state == "delivered"
    assert len({headers["webhook-id"] for _path, headers, _body in partner.received}) == 1
    assert len(partner.received) == len(PAUSES) + 2


def test_a_redirect_is_not_followed(client: Client, keys: Installation, partner: Partner) -> None:
    partner.answers = [302]
    post(client, keys, GOOD)
    fan_out()
    assert deliver_due() == 0
    assert Delivery.objects.get().error == "HTTP 302"
    assert len(partner.received) == 1


def test_private_addresses_are_refused_when_it_is_sent(
    client: Client, keys: Installation, partner: Partner, settings: Settings
) -> None:
    settings.EVENTS_ALLOW_PRIVATE = False
    keys.application.events_url = partner.url.replace("http://", "https://")
    keys.application.save()
    post(client, keys, GOOD)
    fan_out()
    assert deliver_due() == 0
    assert partner.received == []
    assert "not public" in Delivery.objects.get().error


def test_a_plain_http_address_is_refused(settings: Settings) -> None:
    with pytest.raises(sending.NotAcceptedError, match="https"):
        sending.checked_addresses("http://example.com/", time.monotonic() + 5)


def test_the_signature_is_the_one_of_the_specifications_example() -> None:
    # From the specification's reference libraries.
    headers = sending.signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_processing_again_hands_on_once_more(client: Client, keys: Installation) -> None:
    got: list[Any] = []
    CONSUMERS.register("mine", got.append)
    post(client, keys, GOOD)
    fan_out()
    fan_out_again(Event.objects.all())
    assert fan_out() == 1
    deliver_due()
    assert len(got) == 2


def test_old_events_go_in_batches_and_young_ones_stay(
    client: Client, keys: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.webhooks.retention.BATCH", 2)
    settings.RETENTION_EVENTS_DAYS = 7
    for number in range(6):
        post(client, keys, GOOD | {"resource_id": number})
    fan_out()
    old = list(Event.objects.order_by("pk").values_list("pk", flat=True)[:5])
    Event.objects.filter(pk__in=old).update(received_at=timezone.now() - timedelta(days=8))
    assert delete_old()["events"] == 5
    assert Event.objects.count() == 1


@pytest.mark.leaves_stranded("an event is made old without a worker")
def test_with_0_days_events_are_kept_for_good(client: Client, keys: Installation, settings: Settings) -> None:
    settings.RETENTION_EVENTS_DAYS = 0
    post(client, keys, GOOD)
    Event.objects.update(received_at=timezone.now() - timedelta(days=1000))
    delete_old()
    assert Event.objects.exists()
