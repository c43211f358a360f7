"""An answer is compared with the contract: unknown names are reported, and no personal data."""

import copy
import json
from typing import Any

import pytest

from integrations.altegio import requests
from integrations.altegio.answers import read_answer
from integrations.altegio.contract.differences import Difference, Kind, of_answer, of_callback, of_events, sample_of

MOMENT = "2026-11-24 10:00:00"
PAYMENT = {
    "id": 7,
    "payment_sum": 990.5,
    "payment_date": MOMENT,
    "is_refunded": False,
    "period_from": MOMENT,
    "period_to": MOMENT,
}
STATUS = {
    "connection_status": {"status": "active", "created_at": MOMENT},
    "payments": [PAYMENT],
    "logs": [{"changed_at": MOMENT, "status_from": None, "status_to": "pending", "source": "user"}],
    "special_settings": {"api_key": "k"},
}
FREEZE = {"salon_id": 10101, "application_id": 1, "event": "freeze"}
RECORD = {"company_id": 1, "resource": "record", "resource_id": 5, "status": "create", "data": {"any": "thing"}}


def compared(data: Any, code: int = 200, **envelope: Any) -> list[Difference]:
    body = {"success": code < 300, "data": data, "meta": []} | envelope
    return of_answer(requests.status(10101, 1), read_answer(code, {}, json.dumps(body)))


def changed(value: Any, *path: str | int) -> dict[str, Any]:
    """Return the status with `value` at `path`; None removes the field."""
    status: dict[str, Any] = copy.deepcopy(STATUS)
    at: Any = status
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return status


def without(*path: str | int) -> dict[str, Any]:
    status: dict[str, Any] = copy.deepcopy(STATUS)
    at: Any = status
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return status


def test_the_documented_answers_match_the_contract() -> None:
    assert compared(STATUS) == []


@pytest.mark.parametrize(
    "documented",
    [
        changed("freezed", "connection_status", "status"),
        changed([], "connection_status"),
        changed(None, "connection_status"),
        changed("990.50", "payments", 0, "payment_sum"),
        changed("7", "payments", 0, "id"),
        changed(1, "payments", 0, "is_refunded"),
        changed(MOMENT, "payments", 0, "refunded_at"),
        changed("uninstalled", "logs", 0, "status_to"),
        changed([], "special_settings"),
    ],
)
def test_each_documented_spelling_is_known(documented: dict[str, Any]) -> None:
    assert compared(documented) == []


@pytest.mark.parametrize(
    ("data", "difference"),
    [
        (
            changed("paused", "connection_status", "status"),
            Difference("status", Kind.VALUE, "data.connection_status.status", "paused", '"aaaaaa"'),
        ),
        (
            changed("Anna Kovács 12", "payments", 0, "payer"),
            Difference("status", Kind.FIELD, "data.payments[].payer", sample='"aaaa aaaaaa 99"'),
        ),
        (without("payments", 0, "period_to"), Difference("status", Kind.MISSING, "data.payments[].period_to")),
        (without("connection_status"), Difference("status", Kind.MISSING, "data.connection_status")),
        (
            changed("soon", "connection_status", "created_at"),
            Difference("status", Kind.TYPE, "data.connection_status.created_at", sample='"aaaa"'),
        ),
        (changed({"a": 1}, "logs"), Difference("status", Kind.TYPE, "data.logs", sample="{a: 9}")),
    ],
    ids=["new state", "new field", "missing field", "missing object", "no date-time", "no list"],
)
def test_each_difference_is_named(data: dict[str, Any], difference: Difference) -> None:
    assert compared(data) == [difference]


def test_an_unknown_status_code_is_named_and_its_answer_not_looked_into() -> None:
    found = compared({"odd": 1}, code=418)

    assert found == [Difference("status", Kind.CODE, value="418", sample="{odd: 9}")]


@pytest.mark.parametrize("code", [401, 403, 404, 422, 429])
def test_a_refusal_in_the_usual_envelope_differs_in_nothing(code: int) -> None:
    assert compared(None, code, meta={"message": "No.", "errors": {"salon_id": ["wrong"]}}) == []


def test_a_new_field_of_the_envelope_is_named() -> None:
    assert [found.path for found in compared(STATUS, trace_id="x")] == ["trace_id"]


def test_a_field_of_a_thousand_rows_is_one_difference() -> None:
    status = changed([PAYMENT | {"payer": n} for n in range(1000)], "payments")

    assert [found.path for found in compared(status)] == ["data.payments[].payer"]


@pytest.mark.parametrize("text", ["", "<h1>Altegio</h1>", '{"success": tr'])
def test_invalid_json_is_left_to_the_outbox(text: str) -> None:
    assert of_answer(requests.status(10101, 1), read_answer(200, {}, text)) == []


def test_an_accepted_answer_without_its_data_is_named() -> None:
    assert of_answer(requests.status(1, 1), read_answer(200, {}, '{"success": true}')) == [
        Difference("status", Kind.TYPE, "data", sample="null")
    ]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (FREEZE, []),
        (FREEZE | {"event": "paused"}, [(Kind.VALUE, "event", "paused")]),
        (FREEZE | {"salon_id": "10101"}, []),
        (FREEZE | {"reason": "no payment"}, [(Kind.FIELD, "reason", "")]),
    ],
)
def test_a_callback_is_compared_too(body: dict[str, Any], named: Any) -> None:
    assert [(found.kind, found.path, found.value) for found in of_callback(body)] == named


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (RECORD, []),
        ([RECORD, RECORD], []),
        (RECORD | {"resource": "goods_operations_sale"}, []),
        (RECORD | {"resource": "gift_card"}, [(Kind.VALUE, "resource", "gift_card")]),
        ([RECORD, RECORD | {"status": "merge"}], [(Kind.VALUE, "status", "merge")]),
        ("text", [(Kind.TYPE, "", "")]),
    ],
)
def test_an_entity_webhook_is_compared_too(body: Any, named: Any) -> None:
    assert [(found.kind, found.path, found.value) for found in of_events(body)] == named


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"phone": "+380501234567", "Anna Kovács": 1}, '{phone: "+999999999999", *: 9}'),
        ({"380501234567": "x"}, '{*: "a"}'),
        (["a@b.example", "c"], '["a@a.aaaaaaa", …]'),
        (None, "null"),
        (True, "true"),
        (12.5, "99.9"),
        ("Ольга", '"aaaaa"'),
        ([], "[]"),
    ],
)
def test_a_sample_shows_the_form_and_nothing_else(value: Any, form: str) -> None:
    assert sample_of(value) == form


def test_a_new_word_that_may_be_anything_is_not_shown() -> None:
    found = compared(changed("Anna Kovács, +380501234567", "connection_status", "status"))

    assert (found[0].value, found[0].sample) == ("", '"aaaa aaaaaa, +999999999999"')
