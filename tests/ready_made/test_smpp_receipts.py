"""Receipts are read as carriers write them, by the specification and by public bug reports."""

from typing import Any

import pytest

from examples.smpp_receipts import read_receipt, same_ids, status_of
from integrations.messaging.gateway_words import read_gateway_item

FREE = {"payment_sum": 0, "currency_iso": "EUR", "parts_amount": 1}
RECEIPTS = [
    pytest.param(
        "id:117062714244798261 sub:001 dlvrd:001 submit date:1706271624 done date:1706271624 stat:DELIVRD err:0000 "
        "text:Hllo world",
        "117062714244798261",
        1,
        id="php-smpp 70",
    ),
    pytest.param(
        "id:0654354026 submit date:2302101454 done date:2302101454 stat:DELIVRD err:000",
        "654354026",
        1,
        id="jsmpp 67",
    ),
    pytest.param(
        "id:1526758174 submit date:1701240904 done date:1701240904 stat:UNDELIV err:0b text:hellow",
        "5b007b1e",
        2,
        id="jsmpp 62, another base",
    ),
    pytest.param("id:7220BB6BD0B3A2E4 stat:REJECTD Err:069", "7220BB6BD0B3A2E4", 16, id="few fields"),
    pytest.param("id:1 stat:ENROUTE err:000 text:id:2 stat:DELIVRD", "1", 8, id="a receipt's text looks like one"),
]


@pytest.mark.parametrize(("text", "known_as", "status"), RECEIPTS)
def test_a_receipt_becomes_a_status(text: Any, known_as: Any, status: Any) -> None:
    item = status_of(text, {known_as: "altegios-id"}.get, FREE)
    assert read_gateway_item(item) == {"id": "altegios-id", "status": status, **FREE}


@pytest.mark.parametrize("text", ["", "Yes, I am coming", "id:5", "stat:DELIVRD", "id:77 stat:DELIVRD"])
def test_a_foreign_receipt_is_ignored(text: str) -> None:
    assert status_of(text, {"1": "altegios-id"}.get, FREE) is None


def test_the_text_of_the_message_is_no_field() -> None:
    assert "stat" not in read_receipt("id:1 text:stat:DELIVRD")


def test_one_id_is_recognised_in_two_bases() -> None:
    assert {"255", "ff", "FF", "000000FF"} == set(same_ids("255"))
    assert "255" in same_ids("FF")
