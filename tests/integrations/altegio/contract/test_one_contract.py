"""The contract, docs/altegio.md, the client and the sandbox agree on every call."""

import inspect
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter
from pytest_django.fixtures import Settings

from integrations.altegio import requests
from integrations.altegio.answers import Outcome, read_payment_id
from integrations.altegio.client import AltegioClient
from integrations.altegio.contract.callbacks import RESOURCES, EntityEvent, LifecycleCallback
from integrations.altegio.contract.calls import CALLS, CallContract, contract_of
from integrations.altegio.contract.differences import of_answer
from integrations.altegio.requests import ApiRequest
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_CHAIN, EMMA

DOCS = Path("docs/altegio.md").read_text(encoding="utf-8")
USER_TOKEN = "user-token"
MOMENT = "2026-11-24 10:00:00"
STATUSES = [{"id": "1", "status": 1, "payment_sum": Decimal("0.5"), "currency_iso": "EUR", "parts_amount": 1}]


def examples(
    crm_token: str = "crm-token", partner_token: str = "token", option_id: int = 1, payment_id: int = 1
) -> dict[str, ApiRequest]:
    """Return one request of each function that builds one, with all arguments, in the order of a
    connection's life.
    """
    number = {"phone": "+3612345678", "diversion": "+3612345679"}
    day = "2026-11-24"
    record = {
        "type": "incoming",
        **number,
        "duration": 5,
        "call_id": "a",
        "status": "success",
        "date": f"{day}T10:00:00",
    }
    extras = {"channels": ["sms"], "chat_url": "https://a.example", "tips_url": "https://a.example"}
    events = ["https://portal.example/altegio/events/x/"]
    period = {"payment_date": MOMENT, "period_from": MOMENT, "period_to": MOMENT}
    callback = f"/smsprovider/status/callback/{partner_token}"
    return {
        "activate": requests.activate(AURORA_1, 1, api_key="key", webhook_urls=events, extras=extras),
        "status": requests.status(AURORA_1, 1),
        "connected_locations": requests.connected_locations(1, page=1),
        "report_payment": requests.report_payment(
            AURORA_1, 1, currency_iso="EUR", payment_sum=Decimal("990.50"), **period
        ),
        "tariffs": requests.tariffs(1),
        "payment_link": requests.payment_link(AURORA_1, 1, tariff_option_id=option_id, discount=Decimal("5.5")),
        "add_discount": requests.add_discount([AURORA_1], 1, discount=Decimal("15.55")),
        "telephony": requests.telephony(crm_token, enable=True),
        "call_notification": requests.call_notification(crm_token, **number),
        "phone_call": requests.phone_call(crm_token, record),
        "call_list": requests.call_list(
            USER_TOKEN, salon_id=AURORA_1, date_from=day, date_to=day, phone=number["phone"], page=1
        ),
        "sender_names": requests.sender_names(AURORA_1, 1, ["Aurora"]),
        "update_channel": requests.update_channel(AURORA_1, 1, "sms", is_available=True),
        "install_frame": requests.install_frame(AURORA_1, 1, url="https://chat.example"),
        "chat_signal": requests.chat_signal(
            "new_message", AURORA_1, 1, phone="+3612345678", name="Anna", message="Hi"
        ),
        "message_statuses": requests.message_statuses("app", callback, STATUSES, token=partner_token),
        "notification_types": requests.notification_types(USER_TOKEN, AURORA_1),
        "notification_settings": requests.notification_settings(USER_TOKEN, AURORA_1, EMMA),
        "countries": requests.countries(),
        "refund_payment": requests.refund_payment(payment_id),
        "company": requests.company(USER_TOKEN, AURORA_1),
        "company_users": requests.company_users(USER_TOKEN, AURORA_1),
        "webhook_settings": requests.webhook_settings(USER_TOKEN, AURORA_1),
        "set_webhook_settings": requests.set_webhook_settings(
            USER_TOKEN, AURORA_1, {"urls": ["https://portal.example/altegio/events/key/"], "active": 1, "client": 1}
        ),
        "uninstall": requests.uninstall(AURORA_1, 1),
    }


NAMES = tuple(examples())


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def fields_of(shape: type[BaseModel] | TypeAdapter[Any]) -> set[str]:
    """Return the names of all fields of a model or adapter, including nested ones."""
    schema = shape.model_json_schema() if isinstance(shape, type) else shape.json_schema()
    found: set[str] = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            found.update(part.get("properties", {}))
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(schema)
    return found


def test_every_request_that_the_client_builds_has_an_example() -> None:
    functions = inspect.getmembers(requests, inspect.isfunction)
    built = {name for name, function in functions if function.__module__ == requests.__name__ and name[0] != "_"}

    assert built == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_request_is_one_of_the_contract(name: str) -> None:
    request = examples()[name]
    contract = contract_of(request)

    assert contract is not None
    if request.body is not None:
        assert contract.body is not None
        contract.body.model_validate(request.body)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_the_documents_have_every_address_of_the_contract(call: CallContract) -> None:
    documented = re.sub(r"\{[\w ]+\}", "{}", DOCS)
    ending = re.sub(r"\{\w+\}", "{}", call.path.removeprefix("/api/v1"))
    # `…/toggle_highlight` repeats the address before it.
    assert ending in documented or f"…/{ending.rsplit('/', 1)[1]}" in documented


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *((f"{call.path} data", call.data) for call in CALLS),
        *((f"{call.path} body", call.body) for call in CALLS if call.body),
        ("lifecycle callback", LifecycleCallback),
        ("entity webhook", EntityEvent),
    ],
)
def test_the_documents_name_every_field_of_the_contract(name: str, shape: TypeAdapter[Any] | type[BaseModel]) -> None:
    assert fields_of(shape) - words(DOCS) == set()


def test_the_documents_name_every_resource_of_the_contract() -> None:
    assert set(RESOURCES) - words(DOCS) == set()


@pytest.fixture
def client(altegio: Sandbox, settings: Settings) -> AltegioClient:
    """Return the portal's client, at a sandbox where the owner has just pressed Connect."""
    altegio.grant([AURORA_1], user_id=EMMA)
    return AltegioClient(altegio.app_url, altegio.api_url, settings.ALTEGIO_PARTNER_TOKEN, timeout=5)


def test_the_sandbox_answers_every_call_as_the_contract_says(
    client: AltegioClient, altegio: Sandbox, settings: Settings
) -> None:
    option = client.send(requests.tariffs(1)).data[0]["options"][0]["id"]
    known = (altegio.chain(AURORA_CHAIN).crm_token, settings.ALTEGIO_PARTNER_TOKEN, option)
    payment_id, refused, differing = 1, {}, {}
    for name in NAMES:
        request = examples(*known, payment_id)[name]
        answer = client.send(request)
        if answer.outcome is not Outcome.ACCEPTED:
            refused[name] = answer.message
        if found := of_answer(request, answer):
            differing[name] = found
        payment_id = read_payment_id(answer) or payment_id

    assert refused == {}
    assert differing == {}
