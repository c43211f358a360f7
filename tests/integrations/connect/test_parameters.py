"""Every form of the registration redirect is read, and every wrong one is answered with a helpful page."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts import limits
from integrations.connect.parameters import MAX_LOCATIONS, InvalidArrivalError, read_redirect
from integrations.connections.models import Arrival, Connection, RefusedArrival
from tests.examples import examples
from tests.not_none import not_none

TOKEN = "partner-token-of-the-tests"
PERSON = {"id": 7, "name": "Ольга Ó", "phone": "79990001122", "email": "olga@example.com", "salon_name": "Студия"}


def signed(person: object = None, *, alphabet: str = "url", padded: bool = True) -> dict[str, str]:
    raw = json.dumps(PERSON if person is None else person, ensure_ascii=False).encode()
    text = (base64.urlsafe_b64encode if alphabet == "url" else base64.b64encode)(raw).decode()
    return {
        "user_data": text if padded else text.rstrip("="),
        "user_data_sign": hmac.new(TOKEN.encode(), raw, hashlib.sha256).hexdigest(),
    }


def ids(query: str) -> tuple[int, ...]:
    return read_redirect(query, TOKEN).salon_ids


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("salon_id=123", (123,)),
        ("salon_ids[]=2&salon_ids[]=1", (2, 1)),
        ("salon_ids%5B%5D=1&salon_ids%5B%5D=2", (1, 2)),
        ("salon_ids=1,2,3", (1, 2, 3)),
        ("salon_ids=1%2C2", (1, 2)),
        ("salon_ids[0]=5&salon_ids[1]=4", (5, 4)),
        ("salon_id=9&salon_ids[]=1&salon_ids=1,9,3", (9, 1, 3)),
        ("salon_id=007", (7,)),
        ("salon_id=999999999999999999", (999999999999999999,)),
        ("salon_id=1&utm=x&unknown[]=", (1,)),
    ],
)
def test_the_forms_of_a_location_list(query: str, expected: Any) -> None:
    assert ids(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "", "salon_id=", "salon_id=0",
        "salon_id=-1", "salon_id=1.0", "salon_id=abc", "salon_id=%D9%A1", "salon_id=+1",
        "salon_id=1000000000000000000", "salon_ids=1,,2", "salon_ids=1,", "salon_ids[a]=1", "salon_ids[]=x",
        "salon_id=1&salon_group_id=x", "salon_id=1&salon_group_id=1&salon_group_id=2",
        "salon_id=1&crm_token=a&crm_token=b", "salon_id=1&crm_token=%00", "salon_id=1&user_data=eyJ9",
        "salon_id=1&user_data_sign=ab", "salon_id=1&user_data=%%%&user_data_sign=x", "user_data=a&user_data_sign=b",
    ],
)  # fmt: skip
def test_unreadable_parameters_are_refused(query: str) -> None:
    with pytest.raises(InvalidArrivalError) as refusal:
        read_redirect(query, TOKEN)
    assert str(refusal.value.advice)


def test_at_most_5000_locations() -> None:
    assert len(ids("salon_ids=" + ",".join(map(str, range(1, MAX_LOCATIONS + 1))))) == MAX_LOCATIONS
    with pytest.raises(InvalidArrivalError):
        ids("salon_ids=" + ",".join(map(str, range(1, MAX_LOCATIONS + 2))))


@pytest.mark.parametrize("alphabet", ["url", "ordinary"])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("escape", [urlencode, lambda pairs: "&".join(f"{k}={v}" for k, v in pairs.items())])
def test_every_base64_of_user_data(alphabet: str, padded: bool, escape: Any) -> None:
    """The `+` of the ordinary alphabet arrives as a space if it was not escaped."""
    for filler in range(60):
        pair = signed({**PERSON, "name": "я?>~" * filler}, alphabet=alphabet, padded=padded)
        person = not_none(read_redirect("salon_id=1&" + escape(pair), TOKEN).person)
        assert (person.altegio_user_id, person.salon_name) == (7, "Студия")


@pytest.mark.parametrize("key", ["id", "user_id"])
@pytest.mark.parametrize("value", [7, "7"])
def test_the_user_id_comes_under_two_names_as_number_or_text(key: str, value: int | str) -> None:
    assert not_none(read_redirect("salon_id=1&" + urlencode(signed({key: value})), TOKEN).person).altegio_user_id == 7


@pytest.mark.parametrize("person", [{}, {"id": None}, {"id": 0}, {"id": True}, {"id": "x"}, [1], "text", {"id": 1.5}])
def test_signed_data_without_a_user_id_is_refused(person: Any) -> None:
    with pytest.raises(InvalidArrivalError):
        read_redirect("salon_id=1&" + urlencode(signed(person)), TOKEN)


def test_a_forged_signature_is_refused() -> None:
    pair = signed()
    pair["user_data_sign"] = pair["user_data_sign"].upper()
    with pytest.raises(InvalidArrivalError):
        read_redirect("salon_id=1&" + urlencode(pair), TOKEN)


def test_without_a_partner_token_no_signature_is_valid() -> None:
    raw = b'{"id":7}'
    pair = {
        "user_data": base64.b64encode(raw).decode(),
        "user_data_sign": hmac.new(b"", raw, hashlib.sha256).hexdigest(),
    }
    with pytest.raises(InvalidArrivalError):
        read_redirect("salon_id=1&" + urlencode(pair), "")


@pytest.mark.parametrize("repeated", ["user_data", "user_data_sign"])
def test_repeated_signed_data_is_refused(repeated: str) -> None:
    pair = signed()
    with pytest.raises(InvalidArrivalError):
        read_redirect(f"salon_id=1&{urlencode(pair)}&{repeated}={pair[repeated]}", TOKEN)


def test_oversized_user_data_is_refused() -> None:
    with pytest.raises(InvalidArrivalError, match="8 KiB"):
        read_redirect("salon_id=1&" + urlencode(signed({**PERSON, "name": "x" * 9000})), TOKEN)


NAMES = st.sampled_from(
    [
        "salon_id",
        "salon_ids",
        "salon_ids[]",
        "salon_ids[3]",
        "salon_group_id",
        "crm_token",
        "user_data",
        "user_data_sign",
    ]
)
VALUES = st.one_of(
    st.integers(-5, 10**20).map(str),
    st.text(max_size=40),
    st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
)


@pytest.mark.django_db
@hypothesis_settings(
    **examples(100, 1000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=6), signature=st.booleans())
def test_no_address_breaks_the_page(
    client: Client, monkeypatch: pytest.MonkeyPatch, pairs: Any, signature: Any
) -> None:
    monkeypatch.setattr(limits, "ARRIVALS", limits.Limit("arrivals", 10**9, 60))
    query = "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in pairs)
    if signature:
        query += "&" + urlencode(signed())
    answer = client.get(f"/connect/?{query}")
    assert answer.status_code in (200, 303, 400)
    assert answer.status_code != 400 or b"<h1" in answer.content


@pytest.mark.django_db
def test_nothing_of_a_refused_arrival_is_stored_but_the_refusal(client: Client) -> None:
    pair = signed()
    pair["user_data_sign"] = "0" * 64
    answer = client.get(f"/connect/?salon_id=1&crm_token=secret&{urlencode(pair)}")

    assert answer.status_code == 400
    assert RefusedArrival.objects.get().reason == "The signature does not fit the user data."
    assert not Arrival.objects.exists()
    assert not Connection.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/connect/999/", "/connect/0/", "/connect/999999999999999999/"])
def test_an_unknown_application_is_a_helpful_404(client: Client, path: str) -> None:
    answer = client.get(f"{path}?salon_id=1")
    assert answer.status_code == 404
    assert b"Marketplace" in answer.content
