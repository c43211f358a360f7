"""An answer is interpreted by its status code and shape, never by its words (docs/altegio.md §2)."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integrations.altegio import answers
from integrations.altegio.answers import AltegioState, Answer, Outcome, read_answer, read_status
from integrations.altegio.location_list import read_locations
from integrations.altegio.tariffs import read_link

OK = '{"success": true, "data": {"id": 123}, "meta": []}'
NO = '{"success": false, "data": null, "meta": {"message": "Агрегатор не найден"}}'
MOMENT = "2026-11-24 10:00:00"


def read(status_code: int, text: str = OK, **headers: str) -> Answer:
    return read_answer(status_code, headers, text)


def answer(data: Any) -> Answer:
    return read(200, json.dumps({"success": True, "data": data, "meta": []}))


@pytest.mark.parametrize(
    ("status_code", "text", "outcome"),
    [
        (200, OK, Outcome.ACCEPTED),
        (201, OK, Outcome.ACCEPTED),
        (202, "", Outcome.ACCEPTED),
        (204, "", Outcome.ACCEPTED),
        (200, "[]", Outcome.ACCEPTED),
        (200, NO, Outcome.UNKNOWN),
        (200, "<h1>Altegio</h1>", Outcome.UNKNOWN),
        (200, '{"success": tr', Outcome.UNKNOWN),
        (301, "", Outcome.UNKNOWN),
        (400, NO, Outcome.REFUSED),
        (403, NO, Outcome.REFUSED),
        (404, NO, Outcome.REFUSED),
        (404, "<h1>404</h1>", Outcome.UNKNOWN),
        (408, "", Outcome.UNKNOWN),
        (422, NO, Outcome.REFUSED),
        (401, NO, Outcome.UNAUTHORIZED),
        (401, "<h1>401</h1>", Outcome.UNAUTHORIZED),
        (429, "", Outcome.LIMITED),
        (500, NO, Outcome.UNKNOWN),
        (503, "", Outcome.UNKNOWN),
    ],
)
def test_the_outcome_follows_from_code_and_shape(status_code: int, text: str, outcome: Outcome) -> None:
    assert read(status_code, text).outcome is outcome


def test_altegios_words_are_kept_in_its_own_language() -> None:
    assert read(400, NO).message == "Агрегатор не найден"


def test_the_details_of_a_422_stand_behind_its_words() -> None:
    meta = {"message": "Wrong.", "errors": {"salon_id": ["is required"], "amount": "is no number"}}
    text = json.dumps({"success": False, "data": None, "meta": meta})

    assert read(422, text).message == "Wrong.; salon_id: is required; amount: is no number"


@pytest.mark.parametrize(
    ("status_code", "text", "message"),
    [
        (301, "", "HTTP 301, a redirect: it is not followed"),
        (502, "<h1>Bad gateway</h1>", "HTTP 502, and the answer is not JSON"),
        (500, "{}", "HTTP 500"),
        (200, OK, ""),
    ],
)
def test_an_answer_without_words_says_what_it_was(status_code: int, text: str, message: str) -> None:
    assert read(status_code, text).message == message


def test_an_answer_that_was_cut_off_is_unknown() -> None:
    cut = read_answer(200, {}, OK, cut=True)

    assert (cut.outcome, cut.message) == (Outcome.UNKNOWN, "HTTP 200, and the answer is too large")


def test_retry_after_is_read_on_every_answer() -> None:
    assert [read(code, "", **{"retry-after": "20"}).retry_after for code in (200, 429, 503)] == [20.0] * 3


def test_half_an_emoji_does_not_get_past_the_door() -> None:
    assert "\ud83d" not in read(422, '{"meta": {"message": "No \\ud83d."}}').message


CURRENT = {"status": "active", "created_at": MOMENT}


@pytest.mark.parametrize(
    ("current", "state"),
    [
        (CURRENT, AltegioState.ACTIVE),
        (CURRENT | {"status": "pending"}, AltegioState.PENDING),
        (CURRENT | {"status": "freezed"}, AltegioState.FROZEN),
        (CURRENT | {"status": "frozen"}, AltegioState.FROZEN),
        (CURRENT | {"status": "uninstalled"}, AltegioState.NONE),
        (None, AltegioState.NONE),
        ([], AltegioState.NONE),
        ({}, AltegioState.NONE),
    ],
)
def test_the_state_of_a_connection(current: Any, state: AltegioState) -> None:
    status = read_status(answer({"connection_status": current, "payments": [], "logs": []}), "UTC")

    assert status is not None
    assert status.state is state


@pytest.mark.parametrize(
    "current", [CURRENT | {"status": "paused"}, CURRENT | {"status": 3}, {"created_at": MOMENT}, "x"]
)
def test_a_state_that_nobody_knows_is_no_end_of_a_connection(current: dict[str, Any] | str) -> None:
    assert read_status(answer({"connection_status": current}), "UTC") is None


@pytest.mark.parametrize("text", [NO, "", '{"success": false}'])
def test_a_404_says_that_there_is_no_connection(text: str) -> None:
    assert read_status(read(404, text), "UTC") is answers.NOT_CONNECTED


@pytest.mark.parametrize(
    "text", ['{"message": "no Route matched with those values"}', "[]", "null", "<h1>Not found</h1>"]
)
def test_a_404_that_is_not_altegios_says_nothing_of_the_connection(text: str) -> None:
    assert read_status(read(404, text), "UTC") is None


@pytest.mark.parametrize("data", [None, [], {}, {"payments": []}])
def test_an_acceptance_with_nothing_in_it_says_that_there_is_no_connection(data: Any) -> None:
    status = read_status(answer(data), "UTC")

    assert status is not None
    assert status.state is AltegioState.NONE


@pytest.mark.parametrize(
    "text", ["", "{}", '{"ok": true}', '{"success": true}', '{"success": true, "data": {"status": "maintenance"}}']
)
def test_an_acceptance_of_another_shape_says_nothing_of_the_connection(text: str) -> None:
    assert read_status(read(200, text), "UTC") is None


@pytest.mark.parametrize("status_code", [401, 403, 429, 500])
def test_an_answer_without_a_status_says_nothing_of_the_connection(status_code: int) -> None:
    assert read_status(read(status_code, NO), "UTC") is None


@pytest.mark.parametrize(
    ("payments", "ids", "shows_all"),
    [
        ([], [], True),
        ([{"id": 7}, {"id": "8"}], [7, 8], True),
        ({"0": {"id": 7}, "2": {"id": 8}}, [7, 8], True),
        ([{"id": 7}, {"id": None}], [7, None], False),
        ([{"id": 7}, "nonsense"], [7], False),
        ({"id": 7}, [], False),
        (None, [], False),
        ("none", [], False),
    ],
)
def test_only_a_list_whose_ids_can_be_read_shows_all_payments(
    payments: Any, ids: list[int | None], *, shows_all: bool
) -> None:
    status = read_status(answer({"connection_status": CURRENT, "payments": payments}), "UTC")

    assert status is not None
    assert ([payment.id for payment in status.payments], status.shows_all_payments) == (ids, shows_all)


def test_an_answer_without_payments_does_not_show_all_of_them() -> None:
    for status in (answers.NOT_CONNECTED, read_status(answer([]), "UTC")):
        assert status is not None
        assert not status.shows_all_payments


def test_moments_are_read_in_the_zone_of_the_wire() -> None:
    logs = [
        {"changed_at": "2026-11-24 12:00:00", "status_to": "active"},
        {"changed_at": "2026-11-24 11:00:00", "status_to": "uninstalled"},
        {"changed_at": "nonsense", "status_to": "uninstalled"},
    ]
    status = read_status(answer({"connection_status": CURRENT, "logs": logs}), "Europe/Kyiv")

    assert status is not None
    assert status.created_at == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert status.newest_log_at == status.newest_sign_at == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert status.newest_end_at == datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "is_refunded"),
    [
        ({"is_refunded": False}, False),
        ({"is_refunded": 1}, True),
        ({"is_refunded": "1"}, True),
        ({"is_refunded": "0"}, False),
        ({"is_refunded": False, "refunded_at": MOMENT}, True),
        ({}, False),
    ],
)
def test_a_refund_is_seen_in_each_spelling(fields: dict[str, Any], is_refunded: bool) -> None:
    assert (
        answers.read_remote_payment({"id": "7", "payment_sum": "990.50", **fields}, "UTC").is_refunded is is_refunded
    )


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (990, Decimal(990)),
        ("990.50", Decimal("990.50")),
        (Decimal("0.1"), Decimal("0.1")),
        ("", None),
        (True, None),
        (None, None),
        ("1e999999999999", None),
        ([], None),
    ],
)
def test_a_sum_is_a_number_in_each_spelling(written: Any, number: Decimal | None) -> None:
    assert answers.as_decimal(written) == number


@pytest.mark.parametrize(
    ("data", "number"), [({"id": 123}, 123), ({"id": "123"}, 123), ({"id": None}, None), ([], None), (None, None)]
)
def test_a_payments_id_is_read_as_text_too(data: Any, number: int | None) -> None:
    assert answers.read_payment_id(answer(data)) == number


@pytest.mark.parametrize(
    ("url", "read_as"),
    [
        ("https://app.alteg.io/pay/1", "https://app.alteg.io/pay/1"),
        ("javascript:alert(1)", ""),
        ("https://" + "x" * 2000, ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_payment_link_is_one_that_a_browser_may_open(url: int | str | None, read_as: str) -> None:
    assert read_link(answer({"url": url})) == read_as


@pytest.mark.parametrize(("code", "read_as"), [(30, 30), ("30", None), (True, None), (2**40, None)])
def test_altegios_own_number_of_a_refusal(code: bool | int | str, read_as: int | None) -> None:
    assert answers.read_code(read(404, json.dumps({"success": False, "meta": {"code": code}}))) == read_as


def test_rows_that_are_no_objects_or_have_no_id_are_left_out() -> None:
    rows = [{"id": 1, "title": "Aurora"}, "nonsense", {"title": "no id"}, {"id": "x"}, {"id": "2"}]

    assert [location.id for location in read_locations(answer(rows))] == [1, 2]
