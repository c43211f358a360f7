"""The gateway reports by `ext_id`: the status goes where its message says, and the message follows it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from integrations.connections.models import Connection
from integrations.messaging.models import RequestedMessage, StatusBatch
from sandbox import Sandbox
from tests.integrations.messaging.requesting import many, message, request_message, take_messages_of
from tests.response import Api

pytestmark = pytest.mark.django_db
STATUSES = "sms/statuses/"
PRICE = {"payment_sum": 0.05, "currency_iso": "EUR", "parts_amount": 1}


@pytest.fixture
def key(connect: Callable[..., Connection]) -> str:
    return take_messages_of(connect(10101))


@pytest.fixture
def taken(client: Client, altegio: Sandbox, key: str) -> Callable[..., str]:
    """`taken("s1")`: the ext_id of a message whose statuses go to the address of the reference."""

    def take(send_id: str = "s1", address: str = "/delivery/status", **fields: Any) -> str:
        body = message(send_id, **{"delivery_callback_url": altegio.api_url + address, **fields})
        return str(request_message(client, key, body).json()[0]["ext_id"])

    return take


def state_of(ext_id: str) -> str:
    return RequestedMessage.objects.get(pk=ext_id).state


def test_a_status_by_ext_id_goes_to_its_messages_address_with_its_send_id(
    api: Api, altegio: Sandbox, work: Callable[..., None], taken: Callable[..., str]
) -> None:
    by_number, by_text = taken(77), taken("s2")
    answer = api(
        "post", STATUSES, [{"ext_id": by_number, "status": 1, **PRICE}, {"ext_id": int(by_text), "status": 4}]
    )
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
    work()

    [call] = altegio.requests("sms_statuses")
    assert call.path == "/api/v1/delivery/status"
    assert [(item["id"], item["status"]) for item in call.body] == [(77, 1), ("s2", 4)]
    shown = api("get", f"sms/messages/{by_number}/").json()
    assert shown["state"] == "delivered"
    [status] = shown["statuses"]
    assert status.pop("received_at")
    assert status == {
        "status": 1,
        "payment_sum": "0.050000",
        "currency_iso": "EUR",
        "parts_amount": 1,
        "state": "sent",
    }
    assert [item["id"] for item in api("get", "sms/messages/?state=sent_to_phone").json()["results"]] == ["s2"]


def test_the_token_of_an_address_is_put_in_when_the_status_is_sent(
    api: Api, altegio: Sandbox, work: Callable[..., None], taken: Callable[..., str], settings: Settings
) -> None:
    ext_id = taken(
        "s1",
        "",
        delivery_callback_url=f"{altegio.app_url}/smsprovider/status/callback/{settings.ALTEGIO_PARTNER_TOKEN}",
    )
    api("post", STATUSES, [{"ext_id": ext_id, "status": 4}])
    work()
    assert [item["id"] for item in altegio.sms_statuses()] == ["s1"]
    assert StatusBatch.objects.get().address.path == "/smsprovider/status/callback/{partner_token}"


def test_a_message_follows_statuses_by_its_send_id_and_address_too(
    api: Api, altegio: Sandbox, work: Callable[..., None], taken: Callable[..., str]
) -> None:
    ext_id = taken("s1")
    api("post", STATUSES, [{"id": "s1", "status": 4}])
    assert state_of(ext_id) == "requested"
    api(
        "post",
        STATUSES,
        [{"id": "s1", "status": 8, "delivery_callback_url": f"{altegio.api_url}/delivery/status", **PRICE}],
    )
    work()
    assert state_of(ext_id) == "handed_over"


def test_no_late_status_takes_a_message_back(
    api: Api, altegio: Sandbox, work: Callable[..., None], taken: Callable[..., str]
) -> None:
    ext_id, states = taken(), []
    for number in (8, 4, 2, 1, 4, 2):
        api("post", STATUSES, [{"ext_id": ext_id, "status": number, **(PRICE if number in (1, 8) else {})}])
        states.append(state_of(ext_id))
    work()
    assert states == ["handed_over", "sent_to_phone", "not_delivered", "delivered", "delivered", "delivered"]


def test_of_several_statuses_in_one_report_the_furthest_counts(
    api: Api, altegio: Sandbox, work: Callable[..., None], taken: Callable[..., str]
) -> None:
    ext_id = taken()
    api("post", STATUSES, [{"ext_id": ext_id, "status": 1, **PRICE}, {"ext_id": ext_id, "status": 4}])
    work()
    assert state_of(ext_id) == "delivered"


@pytest.mark.parametrize("wrong", ["1", 10**17, "x", True, {}])
def test_an_unknown_ext_id_is_400_with_its_index_and_nothing_is_taken(api: Api, wrong: Any) -> None:
    answer = api("post", STATUSES, [{"id": "s1", "status": 4}, {"ext_id": wrong, "status": 4}])
    assert (answer.status_code, answer.json()) == (400, {"1": {"ext_id": ["There is no such message."]}})
    assert not StatusBatch.objects.exists()


def test_an_item_names_its_message_once(api: Api, taken: Callable[..., str]) -> None:
    answer = api("post", STATUSES, [{"ext_id": taken(), "id": "s1", "status": 4}])
    assert answer.json() == {"0": {"ext_id": ["Write either id or ext_id."]}}


def test_a_thousand_statuses_by_ext_id_cost_a_constant_number_of_queries(
    api: Api,
    altegio: Sandbox,
    client: Client,
    key: str,
    work: Callable[..., None],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    address = f"{altegio.api_url}/delivery/status"
    body = message(destination_params=many(1000), delivery_callback_url=address)
    ids = [item["ext_id"] for item in request_message(client, key, body).json()]
    with django_assert_max_num_queries(30):
        answer = api("post", STATUSES, [{"ext_id": ext_id, "status": 1, **PRICE} for ext_id in ids])
    work()
    assert answer.json() == {"accepted": 1000}
    assert len(altegio.sms_statuses()) == 1000
    assert not RequestedMessage.objects.exclude(state="delivered").exists()
