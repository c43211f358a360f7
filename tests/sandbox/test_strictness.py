"""The sandbox accepts nothing but what docs/altegio.md §2 describes."""

from typing import Any

import pytest
import requests

from sandbox import Sandbox
from tests.not_none import not_none
from tests.sandbox.conftest import HEADERS, LONDON, SMS, Caller

STATUS = f"/marketplace/salon/{LONDON}/application/{SMS}"
GOOD_SMS = {"id": "a", "status": 1, "payment_sum": 0.05, "currency_iso": "EUR", "parts_amount": 1}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Accept": "application/json"}, 406),
        ({"Accept": "*/*"}, 406),
    ],
)
def test_headers_are_exact(sandbox: Sandbox, active: Caller, changed: dict[str, Any], code: int) -> None:
    assert requests.get(sandbox.app_url + STATUS, headers=HEADERS | changed, timeout=5).status_code == code


def test_a_body_is_json_and_says_so(sandbox: Sandbox) -> None:
    address = sandbox.app_url + "/marketplace/partner/callback"
    assert requests.post(address, data={"salon_id": 1}, headers=HEADERS, timeout=5).status_code == 400
    headers = HEADERS | {"Content-Type": "application/json"}
    assert requests.post(address, data=b"{", headers=headers, timeout=5).status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"salon_id": "10101", "application_id": 1}, "salon_id"),
        ({"salon_id": True, "application_id": 1}, "salon_id"),
        ({"application_id": 1}, "salon_id"),
        ({"salon_id": 10101, "application_id": 1, "surprise": 1}, "surprise"),
        ({"salon_id": 10101, "application_id": 1, "api_key": 5}, "api_key"),
        (
            {"salon_id": 10101, "application_id": 1, "webhook_urls": ["https://a.example"] * 11},
            "webhook_urls",
        ),
        ({"salon_id": 10101, "application_id": 1, "webhook_urls": ["http://a.example"]}, "webhook_urls.0"),
        ({"salon_id": 10101, "application_id": 1, "channels": ["fax"]}, "channels.0"),
    ],
)
def test_an_activation_is_read_strictly(sandbox: Sandbox, altegio: Caller, body: dict[str, Any], field: str) -> None:
    sandbox.grant(LONDON)
    answer = altegio.post("/marketplace/partner/callback", body)
    assert answer.status_code == 422
    assert list(answer.json()["meta"]["errors"]) == [field]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"payment_sum": "990.99"}, "payment_sum"),
        ({"payment_sum": -1}, "payment_sum"),
        ({"currency_iso": "euro"}, "currency_iso"),
        ({"currency_iso": "eur"}, "currency_iso"),
        ({"payment_date": "2026-03-01T12:00:00"}, "payment_date"),
        ({"payment_date": "2026-3-1 12:00:00"}, "payment_date"),
        ({"period_to": "2026-02-01 00:00:00"}, "period_to"),
    ],
)
def test_a_payment_is_read_strictly(active: Caller, changed: dict[str, Any], field: str) -> None:
    answer = active.pay(**changed)
    assert answer.status_code == 422
    assert list(answer.json()["meta"]["errors"]) == [field]


def test_a_payment_of_zero_is_a_payment(active: Caller) -> None:
    assert active.pay(payment_sum=0).status_code == 200


@pytest.mark.parametrize("name", ["Студия", "MyAltegio", "AG", "ag", "", 5])
def test_invalid_sender_names_are_refused(active: Caller, name: int | str) -> None:
    assert active.name_senders("Aurora", name).status_code == 422


def test_sender_names_are_the_whole_list_of_1_to_20(sandbox: Sandbox, active: Caller) -> None:
    assert active.name_senders().status_code == 422
    assert active.name_senders(*[f"N{i}" for i in range(21)]).status_code == 422
    assert active.name_senders("Aurora", "Agora").status_code == 200
    assert active.name_senders("Aurora").status_code == 200
    assert not_none(sandbox.connection(LONDON)).short_names == ["Aurora"]


@pytest.mark.parametrize(
    "item",
    [
        {"id": "a", "status": 1},
        {"id": "a", "status": 8, "payment_sum": "1", "currency_iso": "EUR", "parts_amount": 1},
        {"id": "a", "status": 3},
        {"status": 2},
        GOOD_SMS | {"extra": 1},
    ],
)
def test_one_wrong_sms_status_refuses_the_whole_list(sandbox: Sandbox, altegio: Caller, item: dict[str, Any]) -> None:
    answer = altegio.report_sms(GOOD_SMS, item)
    assert answer.status_code == 400
    assert answer.json()["meta"]["code"] == 10
    assert sandbox.sms_statuses() == []


def test_sms_statuses_are_proved_by_the_token_in_the_path(sandbox: Sandbox, altegio: Caller) -> None:
    assert altegio.report_sms(GOOD_SMS, {"id": "b", "status": 2}).status_code == 200
    assert [item["id"] for item in sandbox.sms_statuses()] == ["a", "b"]
    refused = altegio.report_sms(GOOD_SMS, token="stranger")
    assert (refused.status_code, refused.json()["meta"]["code"]) == (401, 20)


def test_statuses_are_taken_at_the_address_that_a_message_names(sandbox: Sandbox, altegio: Caller) -> None:
    assert altegio.post("/smsprovider/7/status/callback/demo-token", [GOOD_SMS]).status_code == 200
    assert [item["id"] for item in sandbox.sms_statuses()] == ["a"]


def test_an_sms_nobody_knows_is_404_with_code_30(sandbox: Sandbox, altegio: Caller) -> None:
    sandbox.refuse_sms("a")
    answer = altegio.report_sms(GOOD_SMS)
    assert (answer.status_code, answer.json()["meta"]["code"]) == (404, 30)


def test_the_partner_token_never_reaches_the_log(sandbox: Sandbox, altegio: Caller) -> None:
    altegio.report_sms(GOOD_SMS)
    assert "demo-token" not in str(sandbox.requests())
    assert sandbox.requests()[-1].path == "/smsprovider/status/callback/***"


def test_telephony_speaks_for_a_chain(sandbox: Sandbox, altegio: Caller) -> None:
    token = sandbox.chain(501).crm_token
    assert altegio.voip(command="setup", crm_token=token, type="enable").status_code == 202
    assert sandbox.chain(501).telephony_enabled
    call = {"command": "history", "crm_token": token, "type": "incoming", "phone": "44", "diversion": "45"}
    assert altegio.voip(**call, duration=5, status="success", date="2026-03-01T12:00:00+00:00").status_code == 202
    assert altegio.voip(**call, duration="5").status_code == 422
    assert (
        altegio.voip(command="event", crm_token=token, type="outgoing", phone="4", diversion="4").status_code == 422
    )
    assert altegio.voip(command="setup", crm_token="stranger", type="enable").status_code == 404


def test_calls_that_need_a_user_token_say_so(sandbox: Sandbox) -> None:
    address = f"{sandbox.api_url}/voip/integration/calls?salon_id={LONDON}"
    assert requests.get(address, headers=HEADERS, timeout=5).status_code == 401
    both = HEADERS | {"Authorization": "Bearer demo-token, User someone"}
    assert requests.get(address, headers=both, timeout=5).json()["data"] == []


@pytest.mark.parametrize(("switch", "app", "api"), [("app", 200, 404), ("api", 404, 200), ("both", 200, 200)])
def test_the_tariffs_stand_on_the_host_that_a_switch_names(
    sandbox: Sandbox, altegio: Caller, switch: str, app: int, api: int
) -> None:
    sandbox.configure(marketplace_host=switch)
    path = f"/marketplace/application/{SMS}/tariffs"
    assert (altegio.get(path).status_code, altegio.get(f"/api/v1{path}").status_code) == (app, api)


def test_tariffs_links_discounts_and_channels(sandbox: Sandbox, active: Caller) -> None:
    tariffs = active.get(f"/marketplace/application/{SMS}/tariffs").json()["data"]
    option_id = tariffs[0]["options"][0]["id"]
    link = "/marketplace/application/payment_link"
    query = {"salon_id": LONDON, "application_id": SMS, "tariff_option_id": option_id}
    assert requests.get(active.get(link, **query).json()["data"]["url"], timeout=5).status_code == 200
    sandbox.set_application(SMS, tariffs=[])
    assert active.get(link, **query).status_code == 404
    discount = {"salon_ids": [LONDON], "application_id": SMS, "discount": 101}
    assert active.post("/marketplace/application/add_discount", discount).status_code == 422
    assert active.post("/marketplace/application/add_discount", discount | {"discount": 10}).status_code == 200
    channel = {"salon_id": LONDON, "application_id": SMS, "channel_slug": "sms", "is_available": True}
    assert active.post("/marketplace/application/update_channel", channel).status_code == 200
    assert not_none(sandbox.connection(LONDON)).channels == {"sms": True}
