"""Signed people and payments are verified in each spelling that docs/altegio.md §1 and §4 name."""

import base64
import json
from typing import Any

import pytest

from integrations.altegio.signatures import InvalidUserDataError, Person, hmac_hex, is_payment_signed, person_from

TOKEN = "partner-token"
EMMA = {"id": 9001, "name": "Emma", "phone": "36201234567", "email": "emma@aurora.example", "salon_name": "Aurora"}
# The base64 of this text has a `+` and a `/`, so the alphabets differ.
TELLING = json.dumps(EMMA | {"name": "Эмма ~~~???>>>"}, ensure_ascii=False).encode()
FORMS = {
    "ordinary": base64.b64encode(TELLING).decode(),
    "url-safe": base64.urlsafe_b64encode(TELLING).decode(),
    "spaces for plus": base64.b64encode(TELLING).decode().replace("+", " "),
    "without padding": base64.urlsafe_b64encode(TELLING).decode().rstrip("="),
}


def signed(data: Any) -> tuple[str, str]:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.b64encode(raw).decode(), hmac_hex(TOKEN, raw)


@pytest.mark.parametrize("form", FORMS)
def test_the_person_is_read_in_every_form_of_base64(form: str) -> None:
    person = person_from(FORMS[form], hmac_hex(TOKEN, TELLING), TOKEN)

    assert person == Person(9001, "Эмма ~~~???>>>", "36201234567", "emma@aurora.example", "Aurora")


@pytest.mark.parametrize(
    "data", [{"user_id": 9001}, {"id": "9001"}, {"id": 9001, "user_id": 7}, {"id": None, "user_id": 9001}]
)
def test_the_id_has_two_names_and_comes_as_text_too(data: dict[str, Any]) -> None:
    assert person_from(*signed(data), TOKEN).altegio_user_id == 9001


@pytest.mark.parametrize(
    ("data", "signature", "why"),
    [
        (*signed(EMMA)[:1], "0" * 64, "signature"),
        (signed(EMMA)[0], signed(EMMA)[1].upper(), "signature"),
        (signed(EMMA)[0], "", "signature"),
        ("§", "0" * 64, "base64"),
        ("A" * 9000, "0" * 64, "8 KiB"),
        (*signed(b"[]"), "object"),
        (*signed(b"{"), "JSON"),
        (*signed({"id": 0}), "id"),
        (*signed({"id": True}), "id"),
        (*signed({"name": "Emma"}), "id"),
    ],
)
def test_forged_or_broken_user_data_is_refused_with_the_reason(data: str, signature: str, why: str) -> None:
    with pytest.raises(InvalidUserDataError, match=why):
        person_from(data, signature, TOKEN)


def test_no_token_signs_nothing() -> None:
    data, _signature = signed(EMMA)
    with pytest.raises(InvalidUserDataError):
        person_from(data, hmac_hex("", json.dumps(EMMA).encode()), "")


def test_an_address_counts_whole_or_not_at_all() -> None:
    assert person_from(*signed(EMMA | {"email": "a@b.example\x00.evil"}), TOKEN).email == ""


@pytest.mark.parametrize(
    ("amount", "discount", "message"),
    [
        ("990.00", None, "salon_id=1&amount=990.00"),
        ("990.00", None, "salon_id=1&amount=990"),
        ("990.0", None, "salon_id=1&amount=990"),
        ("15.50", "5.0", "salon_id=1&amount=15.5&discount=5"),
        ("15.50", "5.0", "salon_id=1&amount=15.50&discount=5.0"),
        ("0", "0", "salon_id=1&amount=0&discount=0"),
    ],
)
def test_a_payments_sign_is_over_the_text_or_the_printed_number(
    amount: str, discount: str | None, message: str
) -> None:
    signature = hmac_hex(TOKEN, message.encode())

    assert is_payment_signed(TOKEN, salon_id="1", amount=amount, discount=discount, signature=signature)


@pytest.mark.parametrize(
    "message", ["salon_id=2&amount=990", "salon_id=1&amount=991", "salon_id=1&amount=990&discount=1"]
)
def test_another_payment_has_another_sign(message: str) -> None:
    signature = hmac_hex(TOKEN, message.encode())

    assert not is_payment_signed(TOKEN, salon_id="1", amount="990.00", discount=None, signature=signature)
