"""Altegio hands messages over: stored once, answered with the list it expects, read in an order that stays."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection, State
from integrations.messaging import message_feed
from integrations.messaging.api_keys import replace_api_key
from integrations.messaging.models import RequestedMessage
from integrations.partner_events.models import PartnerEvent
from partner_portal.core import byte_portions
from tests.integrations.messaging.requesting import (
    MESSAGES,
    PHONE,
    TEXT,
    many,
    message,
    request_message,
    take_messages_of,
)
from tests.response import Api, Response

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Callable[..., Connection], settings: Settings) -> Connection:
    connection = connect(10101)
    settings.ALTEGIO_APP_URL = "https://app.alteg.io"
    return connection


@pytest.fixture
def key(connection: Connection) -> str:
    return take_messages_of(connection)


def ext_ids(answer: Response) -> list[str]:
    return [item["ext_id"] for item in answer.json()]


def listed(api: Api, query: str = "") -> list[str]:
    return [item["id"] for item in api("get", f"sms/messages/{query}").json()["results"]]


def test_a_message_is_taken_and_the_gateway_reads_it(
    client: Client, api: Api, connection: Connection, key: str
) -> None:
    answer = request_message(client, key, message("s1"))
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(answer.content)))
    [ext_id] = ext_ids(answer)
    assert answer.json() == [{"id": "s1", "ext_id": ext_id}]

    [shown] = api("get", "sms/messages/").json()["results"]
    assert api("get", f"sms/messages/{ext_id}/").json() == shown
    assert shown.pop("received_at")
    assert shown == {
        "ext_id": ext_id,
        "id": "s1",
        "connection_id": connection.pk,
        "salon_id": 10101,
        "phone": PHONE,
        "sender_name": "Aurora",
        "text": TEXT,
        "channel": "sms",
        "category": "service",
        "state": "requested",
        "statuses": [],
    }


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"destination_params": {"send_id": 77, "phone_number": 36301234567}}, [(77, PHONE)]),
        (
            {"destination_params": [{"id": "a", "phone": "+1"}, {"send_id": "b", "phone": "+2"}]},
            [("a", "+1"), ("b", "+2")],
        ),
        ({"type": None, "channel": "viber"}, [("s1", PHONE)]),
        (
            {"destination_params": {"id": None, "send_id": "s1", "phone": None, "phone_number": PHONE}},
            [("s1", PHONE)],
        ),
        ({"priority": 1}, [("s1", PHONE)]),
    ],
)
def test_each_reading_of_the_uncertain_names_is_taken(
    client: Client, api: Api, key: str, fields: dict[str, Any], shown: Any
) -> None:
    answer = request_message(client, key, message(**fields))
    assert [item["id"] for item in answer.json()] == [send_id for send_id, _phone in shown]
    read = api("get", "sms/messages/").json()["results"]
    assert [(item["id"], item["phone"]) for item in read] == shown


def test_a_null_leaves_a_field_to_its_other_name(client: Client, api: Api, key: str) -> None:
    answer = request_message(client, key, {**message(channel="viber"), "type": None})
    assert answer.status_code == 200, answer.content
    [read] = api("get", "sms/messages/").json()["results"]
    assert read["channel"] == "viber"


def test_the_same_send_id_again_is_the_same_message(client: Client, key: str) -> None:
    first = ext_ids(request_message(client, key, message("s1")))
    again = request_message(client, key, message("s1", type="viber"))
    mixed = request_message(
        client, key, message(destination_params=[{"id": "s2", "phone": "1"}, {"id": "s1", "phone": PHONE}])
    )
    assert ext_ids(again) == first
    assert ext_ids(mixed)[1] == first[0]
    assert [row.text for row in RequestedMessage.objects.order_by("pk")] == [TEXT, TEXT]
    assert not Alert.objects.exists()


def test_the_same_send_id_again_is_known_also_where_its_words_cannot_be_read(client: Client, key: str) -> None:
    """The key that they were encrypted with was dropped before they were encrypted anew."""
    first = ext_ids(request_message(client, key, message("s1")))
    with database.cursor() as cursor:
        cursor.execute("UPDATE messaging_requestedmessage SET text = 'gAAAA-nobody-reads-this'")
    again = request_message(client, key, message("s1"))
    assert (again.status_code, ext_ids(again)) == (200, first)
    assert not Alert.objects.exists()


@pytest.mark.parametrize("other", [{"text": "Come at 11"}, {"destination_params": {"id": "s1", "phone": "1"}}])
def test_another_message_under_a_used_send_id_is_refused_and_staff_are_told(
    client: Client, key: str, other: dict[str, Any]
) -> None:
    request_message(client, key, message("s1"))
    [refused] = request_message(client, key, message("s1", **other)).json()
    assert (refused["id"], refused["error_code"]) == ("s1", 32)
    alert = Alert.objects.get(kind="messages")
    assert not [text for text in ("Come at 11", TEXT, PHONE) if text in alert.text + refused["error_message"]]
    assert [(row.text, row.phone) for row in RequestedMessage.objects.all()] == [(TEXT, PHONE)]


def test_a_send_id_twice_in_one_request_is_one_message(client: Client, key: str) -> None:
    same = {"id": "s1", "phone": "1"}
    answer = request_message(client, key, message(destination_params=[same, same, {"id": "s1", "phone": "2"}]))
    first, again, other = answer.json()
    assert (first, other["error_code"]) == (again, 32)
    assert RequestedMessage.objects.get().phone == "1"


@pytest.mark.parametrize(
    ("came", "read"),
    [
        ("+36\u00a030\u202f123 4567", "+36 30 123 4567"),
        ("\u202a+36301234567\u202c", "+36301234567"),
        ("\u200e+36301234567", "+36301234567"),
        (" +36301234567\u00ad\n", "+36301234567"),
    ],
)
def test_a_number_is_read_without_what_only_formats_it(
    client: Client, api: Api, key: str, came: str, read: str
) -> None:
    assert ext_ids(request_message(client, key, message(destination_params={"id": "s1", "phone": came})))
    assert api("get", "sms/messages/").json()["results"][0]["phone"] == read


@pytest.mark.parametrize(
    ("name", "read"), [("Szalon\u00a0Kata", "Szalon Kata"), ("مو\u200cسسه", "موسسه"), ("", ""), (" ", "")]
)
def test_no_message_is_lost_for_the_name_of_its_sender(
    client: Client, api: Api, key: str, name: str, read: str
) -> None:
    assert ext_ids(request_message(client, key, message(**{"from": name, "dispatch_type": ""})))
    [shown] = api("get", "sms/messages/").json()["results"]
    assert (shown["sender_name"], shown["category"]) == (read, "")


def test_a_destination_that_cannot_be_read_stops_no_other(client: Client, api: Api, key: str) -> None:
    odd = [
        {"id": 1, "phone": "x" * 41},
        {"id": "b", "phone": "1"},
        {"phone": "2"},
        "x",
        {"send_id": "c", "phone": None},
    ]
    first, good, *others = request_message(client, key, message(destination_params=odd)).json()
    assert first == {"id": 1, "error_code": 32, "error_message": "phone: Write the number: 1 to 40 characters."}
    assert good["ext_id"]
    assert [(item["id"], item["error_code"]) for item in others] == [(None, 32), (None, 32), ("c", 32)]
    assert listed(api) == ["b"]


def test_also_destinations_that_cannot_be_read_are_told_that_the_connection_is_frozen(
    client: Client, connection: Connection, key: str
) -> None:
    Connection.objects.filter(pk=connection.pk).update(state=State.FROZEN)
    [answer] = request_message(client, key, message(destination_params={"id": "s1"})).json()
    assert (answer["id"], "frozen" in answer["error_message"]) == ("s1", True)


def test_another_connection_has_send_ids_of_its_own(
    client: Client, connect: Callable[..., Connection], connection: Connection, key: str
) -> None:
    other = take_messages_of(connect(10102))
    assert ext_ids(request_message(client, key, message("s1"))) != ext_ids(
        request_message(client, other, message("s1"))
    )


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("[]", "not a JSON object"),
        ("{", "not JSON"),
        *((message(**{name: None}), name) for name in message()),
        (message(destination_params=[]), "destination_params"),
        (message(destination_params="x"), "destination_params"),
        (message(destination_params=[{"phone": "1"}, {"phone": "2"}]), "destination_params.1.id"),
        (message(destination_params={"phone": "1"}), "destination_params.0.id"),
        (message(destination_params={"id": True, "phone": "1"}), "destination_params.0.id"),
        (message(destination_params={"id": "x" * 101, "phone": "1"}), "destination_params.0.id"),
        (message(**{"from": 5}), "from"),
        (message(text=" \n"), "text"),
        (message(type=["sms"]), "type"),
        (message(delivery_callback_url="https://evil.example/x"), "Altegio's own addresses"),
        (message(delivery_callback_url="https://app.alteg.io/marketplace/partner/payment"), "/smsprovider/"),
    ],
)
def test_what_is_not_the_documented_json_is_400_and_says_what_to_write(
    client: Client, key: str, body: dict[str, Any] | str, named: str
) -> None:
    answer = request_message(client, key, body)
    assert answer.status_code == 400
    assert named in answer.json()["detail"]
    assert TEXT not in answer.content.decode()
    assert not RequestedMessage.objects.exists()


def test_a_small_request_does_not_become_a_large_store(client: Client, key: str) -> None:
    """Each number has its text stored: 200 KB would become 200 MB."""
    answer = request_message(client, key, message(text="x" * 200_000, destination_params=many(1000)))

    assert answer.status_code == 400
    assert "fewer numbers" in answer.json()["detail"]
    assert not RequestedMessage.objects.exists()


def test_more_than_256_kib_is_413(client: Client, key: str) -> None:
    room = 256 * 1024 - len(json.dumps(message(text="")))
    assert request_message(client, key, json.dumps(message(text="x" * room))).status_code == 200
    assert request_message(client, key, json.dumps(message("s2", text="x" * (room + 1)))).status_code == 413


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Basic {key}", "{key}"])
def test_an_unknown_key_is_401(client: Client, key: str, authorization: str) -> None:
    headers = {"Authorization": authorization.format(key=key)}
    answer = client.post(MESSAGES, message(), content_type="application/json", headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_where_no_messages_are_taken_the_address_is_404_whatever_the_key(
    client: Client, connection: Connection
) -> None:
    key = connection.installation.api_key
    assert request_message(client, key, message()).status_code == 404
    assert request_message(client, "unknown", message()).status_code == 404
    Application.objects.create(altegio_id=77, takes_messages=True)
    assert request_message(client, key, message()).status_code == 404


@pytest.mark.parametrize("state", [State.FROZEN, State.UNINSTALLED, State.EXPIRED, State.FAILED])
def test_for_a_frozen_or_ended_connection_each_destination_is_an_error(
    client: Client, connection: Connection, key: str, state: State
) -> None:
    Connection.objects.filter(pk=connection.pk).update(state=state)
    answer = request_message(client, key, message(destination_params=many(2)))
    assert answer.status_code == 200
    assert [(item["id"], item["error_code"]) for item in answer.json()] == [("m0", 32), ("m1", 32)]
    assert all(item["error_message"] for item in answer.json())
    assert not RequestedMessage.objects.exists()


@pytest.mark.leaves_stranded("the connection waits for an activation that is done")
def test_a_message_that_comes_before_altegios_answer_to_the_activation_is_kept(
    client: Client, connection: Connection, key: str
) -> None:
    Connection.objects.filter(pk=connection.pk).update(state=State.GRANTED)
    assert ext_ids(request_message(client, key, message()))


def test_a_replaced_key_is_taken_until_altegio_has_the_new_one(
    client: Client, connection: Connection, key: str
) -> None:
    replace_api_key(connection)
    assert request_message(client, key, message("s1")).status_code == 200
    assert request_message(client, connection.installation.api_key, message("s2")).status_code == 200


@pytest.mark.parametrize("count", [1, 1000])
def test_taking_costs_the_same_however_many_destinations_there_are(
    client: Client, key: str, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    request_message(client, key, message())  # the process has seen the key
    body = json.dumps(message(destination_params=many(count)))
    with django_assert_num_queries(1):
        answer = request_message(client, key, body)
    assert len(set(ext_ids(answer))) == count


def test_more_than_a_thousand_destinations_are_taken_whole(client: Client, key: str) -> None:
    answer = request_message(client, key, message(text="x", destination_params=many(2500)))
    assert len(set(ext_ids(answer))) == RequestedMessage.objects.count() == 2500


def test_number_text_and_address_stand_encrypted_and_the_token_nowhere(
    client: Client, key: str, settings: Settings
) -> None:
    from tests.kept import everything_stored

    request_message(client, key, message())
    stored = everything_stored()
    for secret in (PHONE, TEXT, "/smsprovider/status/callback/", settings.ALTEGIO_PARTNER_TOKEN):
        assert secret not in stored
    assert settings.ALTEGIO_PARTNER_TOKEN not in RequestedMessage.objects.get().callback


def test_the_list_is_read_oldest_first_and_on_from_the_last_one(client: Client, api: Api, key: str) -> None:
    [first, *_rest] = ext_ids(request_message(client, key, message(destination_params=many(3))))
    assert listed(api) == ["m0", "m1", "m2"]
    assert listed(api, f"?after={first}") == ["m1", "m2"]
    assert listed(api, "?state=delivered") == []
    page = api("get", "sms/messages/?page_size=2").json()
    assert [item["id"] for item in page["results"]] == ["m0", "m1"]
    rest = api("get", page["next"].split("/api/v1/")[1]).json()
    assert ([item["id"] for item in rest["results"]], rest["next"]) == (["m2"], None)


def test_a_message_that_is_committed_late_stands_behind_those_already_shown(
    client: Client, api: Api, connection: Connection, key: str
) -> None:
    """Its key was given before theirs, in a transaction that took its time."""
    request_message(client, key, message("s1"))
    early = RequestedMessage.objects.get()
    assert listed(api) == ["s1"]
    request_message(client, key, message("s3"))
    last = RequestedMessage.objects.latest("pk")
    RequestedMessage.objects.filter(pk=last.pk).update(id=last.pk + 1)
    assert listed(api) == ["s1", "s3"]
    late = RequestedMessage(pk=last.pk, connection=connection, send_id="s2", phone="1", text="x", callback="app/x")
    late.save(force_insert=True)
    assert listed(api) == ["s1", "s3", "s2"]
    assert listed(api, f"?after={last.pk + 1}") == ["s2"]
    assert listed(api, f"?after={early.pk}") == ["s3", "s2"]


def test_who_reads_on_from_a_message_that_was_deleted_misses_none(client: Client, api: Api, key: str) -> None:
    request_message(client, key, message(destination_params=many(3)))
    assert listed(api) == ["m0", "m1", "m2"]
    first = RequestedMessage.objects.earliest("pk").pk
    RequestedMessage.objects.filter(pk=first).delete()
    assert listed(api, f"?after={first}") == ["m1", "m2"]
    assert listed(api, f"?after={first + 1}") == ["m2"]
    RequestedMessage.objects.all().delete()
    assert listed(api, f"?after={first}") == []


@pytest.mark.parametrize("wrong", ["after=x", "after=0", "state=gone", "salon_id=1"])
def test_a_list_refuses_what_it_does_not_know(api: Api, wrong: str) -> None:
    assert api("get", f"sms/messages/?{wrong}").status_code == 400


def test_an_unknown_ext_id_is_404(api: Api) -> None:
    assert api("get", "sms/messages/5/").status_code == 404
    assert api("get", "sms/messages/x/").status_code == 404


def test_a_page_costs_the_same_however_many_messages_it_shows(
    client: Client, api: Api, key: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    request_message(client, key, message(destination_params=many(100)))
    listed(api)
    with django_assert_max_num_queries(7):
        assert len(listed(api)) == 100


def test_long_messages_are_shown_and_told_of_a_few_at_once(
    client: Client, api: Api, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_portions, "MAX_BYTES", 3_000)
    monkeypatch.setattr(message_feed, "MAX_PLACED_BYTES", 6_000)
    request_message(client, key, message(text="x" * 800, destination_params=many(9)))
    first = api("get", "sms/messages/?page_size=1000").json()
    assert [item["id"] for item in first["results"]] == ["m0", "m1"]
    assert PartnerEvent.objects.filter(type="message.requested").count() == 5

    shown, page = ["m0", "m1"], first
    while page["next"]:
        page = api("get", page["next"].partition("/api/v1/")[2]).json()
        shown += [item["id"] for item in page["results"]]
    assert shown == [f"m{number}" for number in range(9)]


def test_messages_are_for_the_scope_sms_alone(api: Api) -> None:
    from accounts.models import ApiKey

    _key, secret = ApiKey.objects.create_key(name="other", scopes=["read"])
    assert api("get", "sms/messages/", secret=secret).status_code == 403
