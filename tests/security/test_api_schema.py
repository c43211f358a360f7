"""The API follows its schema, for inputs that fit the schema and for others."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok

from accounts import limits
from accounts.api_keys import SCOPES
from accounts.models import ApiKey, Customer
from integrations.connections.models import Chain, Connection
from integrations.messaging.models import RequestedMessage
from integrations.partner_events.endpoints import new_endpoint
from integrations.telephony.models import ExchangeWebhook, PhoneCall
from partner_portal.core.fast_path import with_short_path
from tests.marketplace import AURORA_1
from tests.response import Api
from tests.security.watching import EXAMPLES, IS_SUITE

pytestmark = pytest.mark.django_db
schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", with_short_path())
# Lists refuse unknown parameters and other calls ignore them; every request carries the key.
schema.config.generation.allow_extra_parameters = False
schema.config.generation.with_security_parameters = False
OPERATIONS = {found.ok().label: found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)}
# The rules of payments, messages and calls go beyond a schema, so fitting input may still be refused.
BEYOND_SCHEMA: list[Any] = CHECKS.get_by_names(["positive_data_acceptance"])
# A bad optional value is left out with a warning, and each call of a list is answered with its own code.
LENIENT = [f"POST /api/v1/{name}/" for name in ("sms/statuses", "telephony/calls", "telephony/notifications")]
REFUSAL: list[Any] = CHECKS.get_by_names(["negative_data_rejection"])
fuzzed = hypothesis_settings(
    max_examples=max(EXAMPLES // 10, 10),
    derandomize=IS_SUITE,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def cases(label: str, known: dict[str, Any]) -> st.SearchStrategy[Case[Any]]:
    """Generate requests that fit the schema, that do not, and that name existing rows."""
    operation = OPERATIONS[label]
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
    if there := {parameter.name: known[parameter.name] for parameter in operation.path_parameters}:
        modes.append(operation.as_strategy(path_parameters=there))
    return st.one_of(modes)


@pytest.fixture
def own_transaction(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the connection with the test's transaction open at the end of a request."""
    monkeypatch.setattr("accounts.api_keys.BAD_API_KEYS", limits.Limit("bad-api-keys", 10**9, 60))
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def payment(connections: list[Connection], post: Api) -> int:
    """Return the id of a payment that waits to be reported."""
    payload = {"external_id": "known", "salon_id": AURORA_1, "amount": "990.99", "currency": "EUR"}
    payload |= dict.fromkeys(("paid_at", "period_from", "period_to"), "2026-01-01T12:00:00Z")
    return int(post("payments/", json.dumps(payload).encode()).json()["id"])


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_one_that_the_schema_shows(
    label: str, connections: list[Connection], payment: int, api_key: str, own_transaction: None
) -> None:
    message = RequestedMessage.objects.create(connection=connections[0], send_id="s1", phone="1", text="x")
    chain = Chain.objects.create(altegio_id=99)
    without_status = PhoneCall.objects.create(
        chain=chain, call_id="c1", type="incoming", diversion="1", state="saved"
    )
    endpoint = new_endpoint("https://billing.example/hooks", [], None, "")
    ids = {"payments": payment, "calls": without_status.pk, "webhooks": endpoint.pk}
    known: dict[str, Any] = {"id": next((ids[part] for part in ids if f"/{part}/" in label), connections[0].pk)}
    known["salon_id"] = str(AURORA_1)
    webhook = ExchangeWebhook.objects.create(name="pbx", mapping={"phone": "from", "salon_id": ["place", "salon"]})
    known |= {"ext_id": message.ext_id, "name": webhook.name}
    excluded = BEYOND_SCHEMA + (REFUSAL if label in LENIENT else [])
    known |= {"external_id": Customer.objects.create(external_id="C-1", email="anna@customer.example").external_id}

    @fuzzed
    @given(case=cases(label, known))
    def attack(case: Case[Any]) -> None:
        with transaction.atomic():
            case.call_and_validate(headers={"Authorization": f"Api-Key {api_key}"}, excluded_checks=excluded)
            transaction.set_rollback(True)

    attack()


def one_path(label: str) -> str:
    """Return the address of an operation with 1 for each of its parameters."""
    return re.sub("{[a-z_]+}", "1", OPERATIONS[label].path)


@pytest.mark.parametrize("label", OPERATIONS)
def test_one_scope_alone_opens_an_operation(label: str, client: Client) -> None:
    """Only the scope named in the schema works; others are refused before the request is read."""
    path = one_path(label)
    opened_by = set()
    for scope in SCOPES:
        _key, secret = ApiKey.objects.create_key(name=scope, scopes=[scope])
        method = label.split()[0]
        answer = client.generic(
            method, path, b"{", "application/json", headers={"Authorization": f"Api-Key {secret}"}
        )
        opened_by |= {scope} if answer.status_code != 403 else set()
    assert opened_by == {OPERATIONS[label].definition.raw["x-scope"]}


@pytest.mark.parametrize(
    "label", [label for label, operation in OPERATIONS.items() if "requestBody" in operation.definition.raw]
)
def test_a_body_is_missing_only_where_the_schema_lets_it(label: str, client: Client, api_key: str) -> None:
    method, headers = label.split()[0], {"Authorization": f"Api-Key {api_key}"}
    answer = client.generic(method, one_path(label), b"", "application/json", headers=headers)
    is_required = OPERATIONS[label].definition.raw["requestBody"]["required"]
    assert (answer.status_code >= 400) is is_required, answer.content


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("header", ["", "Api-Key", "Api-Key x.y", "Bearer x", "Basic YTpi", "Api-Key a b"])
def test_nothing_is_open_without_a_key(label: str, header: str, client: Client) -> None:
    path = one_path(label)
    assert client.generic(label.split()[0], path, headers={"Authorization": header}).status_code == 401
