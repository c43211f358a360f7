"""What gateways write, word for word, as their documentation has it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from integrations.messaging.gateway_words import WORDS, read_gateway_item
from integrations.messaging.models import MessageStatus
from sandbox import Sandbox
from tests.integrations.messaging.reporting import STATUSES, sent, status
from tests.response import Api

DOCS = Path(__file__).parents[3] / "docs/sms_gateways.md"


@pytest.mark.parametrize(
    ("word", "number"),
    [
        pytest.param("DELIVRD", 1, id="SMPP delivered"),
        pytest.param("UNDELIV", 2, id="SMPP undeliverable"),
        pytest.param("EXPIRED", 2, id="SMPP expired"),
        pytest.param("REJECTD", 16, id="SMPP rejected"),
        pytest.param("ACCEPTD", 8, id="SMPP accepted"),
        pytest.param("ENROUTE", 8, id="SMPP on its way"),
        pytest.param("delivered", 1, id="Twilio, Vonage, Telnyx"),
        pytest.param("undelivered", 2, id="Twilio undelivered"),
        pytest.param("DELIVERED_TO_HANDSET", 1, id="Infobip name"),
        pytest.param("REJECTED_NOT_ENOUGH_CREDITS", 52, id="Infobip credits"),
        pytest.param("Delivery-Failed", 2, id="MessageBird"),
        pytest.param(" not enough funds ", 52, id="Altegio's words"),
        pytest.param("1", 1, id="a number as text"),
        pytest.param("52", 52, id="another number as text"),
        pytest.param("LOST", "LOST", id="an unknown word stays"),
        pytest.param("", "", id="blank stays"),
    ],
)
def test_a_word_is_read(word: str, number: int | str) -> None:
    assert read_gateway_item({"id": "m", "status": word})["status"] == number


@pytest.mark.parametrize(("parts", "read"), [("1", 1), (" 2 ", 2), ("one", "one"), ("1.5", "1.5"), (3, 3)])
def test_a_whole_number_of_parts_may_be_written_as_text(parts: int | str, read: int | str) -> None:
    assert read_gateway_item({"parts_amount": parts})["parts_amount"] == read


def test_the_documented_table_is_the_one_that_is_used() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for source, words in WORDS.items():
        for word, number in words.items():
            assert f"| {source} | `{word}` | {int(number)} |" in text


@pytest.mark.django_db
def test_a_list_of_words_is_taken(api: Api, altegio: Sandbox, work: Callable[..., None]) -> None:
    receipts = [
        status("m1", "1", payment_sum="0.01820000", currency_iso="EUR", parts_amount="1"),
        status("m2", "UNDELIV", payment_sum="", currency_iso="", parts_amount=""),
        status("m3", "ENROUTE", payment_sum=0.00001, currency_iso="EUR", parts_amount="2"),
    ]
    assert api("post", STATUSES, receipts).json() == {"accepted": 3}
    work()
    assert sent(altegio) == [("m1", 1), ("m2", 2), ("m3", 8)]
    assert str(MessageStatus.objects.get(message_id="m3").payment_sum) == "0.000010"
