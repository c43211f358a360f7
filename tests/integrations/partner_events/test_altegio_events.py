"""Entity events reach the partner's webhooks in batches of one connection, unchanged and in order."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import ApiKey
from integrations.connections.models import Connection, Installation
from integrations.partner_events import types
from integrations.partner_events.endpoints import new_endpoint
from integrations.partner_events.models import PartnerEvent, WebhookEndpoint
from integrations.webhooks import fan_out
from integrations.webhooks.consumers import CONSUMERS
from partner_portal.core.feed import take_turn
from sandbox import Sandbox
from tests.entity_events import GOOD, post_event
from tests.integrations.partner_events.conftest import Partner, due_now, go_out
from tests.marketplace import AURORA_1, AURORA_2, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_consumers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CONSUMERS, "_entries", {})


@pytest.fixture
def endpoint(keys: Installation, partner: Partner) -> WebhookEndpoint:
    return new_endpoint(partner.url, [types.ALTEGIO_EVENTS], None, "")


def numbers(payload: dict[str, Any]) -> list[int]:
    return [event["body"]["resource_id"] for event in payload["data"]["events"]]


def come(client: Client, keys: Installation, numbers: Sequence[int]) -> None:
    for number in numbers:
        post_event(client, keys, GOOD | {"resource_id": number})


def test_a_batch_goes_out_signed_with_its_events_as_they_came(
    client: Client, keys: Installation, partner: Partner, endpoint: WebhookEndpoint
) -> None:
    post_event(client, keys, b'{"company_id": 10101, "price": 0.10, "name": "\xd0\x90\\ud800"}')
    fan_out.fan_out()
    go_out()

    (payload,) = partner.verified(endpoint.secret)
    assert payload["type"] == "altegio.events"
    (event,) = payload["data"]["events"]
    assert (event["application_id"], event["salon_id"], event["is_duplicate"], event["flag"]) == (1, 10101, False, "")
    assert b'"price": 0.10' in partner.received[0][1]


DEEP = "[" * 98 + "7" + "]" * 98


@pytest.mark.parametrize(
    ("came", "written"),
    [
        ("1e399", "1E+399"),  # larger than any float
        ("0.123456789012345678901234567890", "0.123456789012345678901234567890"),  # no float has so many digits
        (DEEP, DEEP),
    ],
    ids=["large", "exact", "deep"],
)
def test_the_feed_shows_what_the_webhook_carries(
    client: Client, keys: Installation, partner: Partner, endpoint: WebhookEndpoint, came: str, written: str
) -> None:
    post_event(client, keys, f'{{"company_id": 10101, "cost": {came}}}'.encode())
    fan_out.fan_out()
    go_out()
    _key, secret = ApiKey.objects.create_key(name="cabinet", scopes=["read", "webhooks"])
    shown = client.get("/api/v1/events/", headers={"Authorization": f"Api-Key {secret}"})

    assert shown.status_code == 200
    ((_headers, sent),) = partner.received
    assert f'"cost": {written}}}' in sent.decode()
    assert f'[{{"id": "{partner.ids[0]}", {sent.decode()[1:]}]' in shown.content.decode()


def test_many_events_of_one_location_are_few_messages(
    client: Client, keys: Installation, partner: Partner, endpoint: WebhookEndpoint
) -> None:
    come(client, keys, range(120))
    fan_out.fan_out()
    go_out()

    payload = partner.verified(endpoint.secret)
    assert [len(each["data"]["events"]) for each in payload] == [100, 20]
    assert [number for each in payload for number in numbers(each)] == list(range(120))


@pytest.mark.parametrize("letter", ["x", "ж"])
def test_a_message_is_not_too_large(
    client: Client, keys: Installation, partner: Partner, endpoint: WebhookEndpoint, letter: str
) -> None:
    comment = letter * (300_000 // len(letter.encode()))
    for number in range(3):
        event = json.dumps(GOOD | {"resource_id": number, "comment": comment}, ensure_ascii=False)
        post_event(client, keys, event.encode())
    fan_out.fan_out()
    go_out()

    assert [numbers(payload) for payload in partner.verified(endpoint.secret)] == [[0], [1], [2]]


@pytest.fixture
def places(client: Client, altegio: Sandbox, work: Work) -> list[Installation]:
    """Return two locations, each with a live connection whose beginning is not published."""
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    PartnerEvent.objects.all().delete()
    return list(Installation.objects.order_by("location__altegio_id"))


def test_a_refused_batch_holds_back_only_its_own_connection(
    client: Client, places: list[Installation], partner: Partner
) -> None:
    endpoint = new_endpoint(partner.url, [types.ALTEGIO_EVENTS], None, "")
    first, second = places
    for number, place in enumerate((first, second, first)):
        come(client, place, [number])
        fan_out.fan_out()
    partner.answers = [500]
    go_out()
    due_now()
    go_out()

    payload = partner.verified(endpoint.secret)
    assert [numbers(each) for each in payload] == [[0], [1], [0], [2]]
    assert set(PartnerEvent.objects.values_list("connection", flat=True)) == set(
        Connection.objects.values_list("pk", flat=True)
    )


def test_events_of_many_locations_cost_no_more_queries(
    client: Client,
    places: list[Installation],
    django_assert_num_queries: DjangoAssertNumQueries,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    come(client, places[0], [0])
    fan_out.fan_out()  # differences from the contract are noted once
    come(client, places[0], [1])
    with django_assert_max_num_queries(20) as one:
        fan_out.fan_out()
    count = len(one.captured_queries)
    come(client, places[0], [2, 3])
    post_event(client, places[1], GOOD | {"company_id": AURORA_2})
    with django_assert_num_queries(count):
        fan_out.fan_out()
    go_out()


def test_one_worker_at_a_time_fans_out(
    client: Client, keys: Installation, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    come(client, keys, [1])
    with monkeypatch.context() as patched:
        patched.setattr(fan_out, "take_turn", lambda _name: False)
        assert fan_out.fan_out() == 0
    assert fan_out.fan_out() == 1
    go_out()


def test_a_worker_that_takes_a_turn_alone_gets_it(db: None) -> None:
    assert take_turn("new") is True
    assert take_turn("new") is True, "the same transaction has it still"
