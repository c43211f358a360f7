"""A callback is stored first and then checked with Altegio, whose status decides."""

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import OutgoingEmail
from integrations.alerts.models import Alert
from integrations.connections.models import Chain, Connection, State
from integrations.lifecycle import callback_endpoint
from integrations.lifecycle.handlers import CALLBACK_HANDLERS, register_callback_handler
from integrations.lifecycle.models import Callback
from integrations.outbox.models import OutgoingCall
from integrations.outbox.queue import new_call, queue
from integrations.status_sync.status_sync import ask_status
from integrations.telephony.call_kinds import SwitchTelephony
from partner_portal.core.clean import parse_as_written
from partner_portal.core.models import FailedItem
from sandbox import Sandbox
from tests.callbacks import ADDRESS, TOKEN, post_callback, send_callback, signed
from tests.marketplace import arrive
from tests.working import Work

pytestmark = pytest.mark.django_db


def state_of(connection: Connection) -> str:
    connection.refresh_from_db()
    return connection.state


def test_an_uninstall_ends_the_connection_and_tells_owner_and_staff(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    altegio.uninstall(10101)
    assert send_callback(client).status_code == 200
    work()

    assert state_of(connected) == "uninstalled"
    assert Callback.objects.get().state == "confirmed"
    assert OutgoingEmail.objects.get(template="disconnected").to == "emma@aurora.example"
    assert Alert.objects.get(kind="ended").connection == connected


def test_calls_that_wait_end_with_the_reason(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    queue([new_call(SwitchTelephony, "waits", ordering_key="chain:1", connection_id=connected.pk, chain=1, on=True)])
    OutgoingCall.objects.filter(key="waits").update(state="held")
    altegio.uninstall(10101)
    send_callback(client)
    work()

    call = OutgoingCall.objects.get(key="waits")
    assert (call.state, call.reason) == (
        "cancelled",
        "The connection ended: Altegio says it is not connected.",
    )


def test_a_freeze_and_a_payment_are_followed(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    altegio.freeze(10101)
    send_callback(client, "freeze")
    work()
    assert state_of(connected) == "frozen"
    altegio.pay(10101)
    send_callback(client, "freeze")
    work()
    assert state_of(connected) == "active"
    assert Callback.objects.latest("pk").state == "contradicted"


def test_a_contradicted_callback_is_not_confirmed_by_a_later_true_one(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    for _ in range(3):
        send_callback(client, "freeze")
        work()
    altegio.freeze(10101)
    send_callback(client, "freeze")
    work()

    assert state_of(connected) == "frozen"
    verdicts = list(Callback.objects.order_by("pk").values_list("state", flat=True))
    assert verdicts == ["contradicted"] * 3 + ["confirmed"]


def test_a_callback_ahead_of_altegios_own_status_is_confirmed_after_all(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    send_callback(client, "freeze")
    work()
    assert Callback.objects.get().state == "contradicted"

    altegio.freeze(10101)
    ask_status(connected)
    work()
    assert Callback.objects.get().state == "confirmed"


def test_a_late_uninstall_after_a_reconnect_changes_nothing(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    altegio.uninstall(10101)
    arrive(client, altegio, 10101)
    work()
    for _ in range(2):
        assert send_callback(client).status_code == 200
    work()

    assert list(Connection.objects.order_by("pk").values_list("state", flat=True)) == ["uninstalled", "active"]
    assert set(Callback.objects.values_list("state", flat=True)) == {"contradicted"}


def test_a_chains_telephony_goes_off_once_with_its_last_connection(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    altegio.set_application(2)
    from integrations.connections.models import Application

    Application.objects.create(altegio_id=2, kind="telephony")
    _chain, places = altegio.add_chain(2)
    altegio.grant(places, application_id=2, user_id=9001)
    url = altegio.arrival_url(places, application_id=2, user_id=9001)
    client.get(url[url.index("/connect/") :])
    work()
    assert Chain.objects.get().telephony == "on"

    altegio.uninstall(places[0], application_id=2)
    send_callback(client, salon_id=places[0], application_id=2)
    work()
    assert Chain.objects.get().telephony == "on"

    altegio.uninstall(places[1], application_id=2)
    for _ in range(2):
        send_callback(client, salon_id=places[1], application_id=2)
        work()
    assert Chain.objects.get().telephony == "off"
    assert [row["type"] for row in altegio.telephony()] == ["enable", "disable"]


def test_an_unknown_event_location_or_application_is_kept(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    assert send_callback(client, "surprise").status_code == 200
    assert send_callback(client, salon_id=987654321).status_code == 200
    assert send_callback(client, application_id=77).status_code == 200
    work()

    assert list(Callback.objects.order_by("pk").values_list("state", "note")) == [
        ("kept", "An event that the portal does not know."),
        ("kept", "A location that was never seen here."),
        ("kept", "An application that the portal does not know."),
    ]
    assert state_of(connected) == "active"


@pytest.mark.parametrize(
    ("event", "stored"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (["freeze"], '["freeze"]'),
        ({"name": "uninstall"}, '{"name": "uninstall"}'),
    ],
)
def test_an_event_that_is_no_text_is_kept_like_an_unknown_one(
    client: Client, altegio: Sandbox, work: Work, connected: Connection, event: Any, stored: str
) -> None:
    assert send_callback(client, event=event).status_code == 200
    work()

    callback = Callback.objects.get()
    assert (callback.event, callback.state) == (stored, "kept")
    assert state_of(connected) == "active"


@pytest.mark.parametrize("event", [TOKEN, [TOKEN], {TOKEN: TOKEN}])
def test_an_event_that_holds_the_token_is_stored_without_it(client: Client, event: Any) -> None:
    assert send_callback(client, event=event).status_code == 200
    assert TOKEN not in Callback.objects.get().event


@pytest.mark.parametrize(("amount", "discount"), [("990.99", None), ("990.00", "10"), ("1e2", "0")])
def test_a_payment_is_handed_to_whoever_registered(
    client: Client,
    altegio: Sandbox,
    work: Work,
    connected: Connection,
    monkeypatch: pytest.MonkeyPatch,
    amount: str,
    discount: str | None,
) -> None:
    heard = []
    monkeypatch.setattr(CALLBACK_HANDLERS, "_entries", {})
    register_callback_handler("payment", lambda body, connection: heard.append((body, connection)))
    body = (
        f'{{"salon_id":10101,"application_id":1,"event":"payment","partner_token":"{TOKEN}","amount":{amount},'
        f'"discount":{discount or "null"},"sign":"{signed(amount, discount)}"}}'
    )
    assert post_callback(client, body).status_code == 200
    work()

    assert heard[0][1] == connected
    assert float(heard[0][0]["amount"]) == float(amount)
    assert "sign" not in heard[0][0]
    assert Callback.objects.get().state == "confirmed"


@pytest.mark.parametrize(
    ("amount", "discount", "signed_as"),
    [
        ("990.00", "null", ("990", None)),
        ("990.0", "15.50", ("990", "15.5")),
        ('"990.00"', '"10.00"', ("990", "10")),
        ("15.50", "10", ("15.5", "10")),
        ("1e2", "null", ("100", None)),
        # Altegio signs one number as it wrote it, and prints the other.
        ("990.00", "10.0", ("990.00", "10")),
    ],
)
def test_a_payment_is_signed_over_the_numbers_as_javascript_prints_them(
    client: Client, db: None, amount: str, discount: str, signed_as: Any
) -> None:
    body = (
        f'{{"salon_id":10101,"application_id":1,"event":"payment","partner_token":"{TOKEN}","amount":{amount},'
        f'"discount":{discount},"sign":"{signed(*signed_as)}"}}'
    )
    assert post_callback(client, body).status_code == 200


@pytest.mark.parametrize("sign", ["", None, 7, "0" * 64, signed("990.990")])
def test_a_payment_with_a_wrong_sign_is_refused(client: Client, db: None, sign: int | str | None) -> None:
    assert send_callback(client, "payment", amount="990.99", sign=sign).status_code == 403
    assert not Callback.objects.exists()


@pytest.mark.parametrize("token", [None, "", 7, "wrong", "p\ud800", [TOKEN], TOKEN + "x"])
def test_without_the_token_nothing_is_stored_or_revealed(client: Client, db: None, token: Any) -> None:
    answer = send_callback(client, partner_token=token)
    assert (answer.status_code, answer.json()) == (403, {"detail": "Forbidden."})
    assert not Callback.objects.exists()


def test_an_empty_configured_token_matches_nothing(client: Client, db: None, settings: Settings) -> None:
    settings.ALTEGIO_PARTNER_TOKEN = ""
    assert send_callback(client, partner_token="").status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"7",
        b"\xff\xfe",
        b'{"partner_token": NaN}',
        b"[" * 60_000,
        json.dumps({"partner_token": TOKEN}).encode(),
        json.dumps({"partner_token": TOKEN, "salon_id": "x", "application_id": 1, "event": "freeze"}).encode(),
        json.dumps({"partner_token": TOKEN, "salon_id": 10**19, "application_id": 1, "event": "freeze"}).encode(),
        json.dumps({"partner_token": TOKEN, "salon_id": 1, "application_id": True, "event": "freeze"}).encode(),
        json.dumps({"partner_token": TOKEN, "salon_id": 1, "application_id": 1}).encode(),
        json.dumps({"partner_token": TOKEN, "salon_id": 1, "application_id": 1, "event": ""}).encode(),
    ],
)
def test_undocumented_json_is_400(client: Client, db: None, body: bytes) -> None:
    assert post_callback(client, body).status_code == 400
    assert not Callback.objects.exists()


@pytest.mark.parametrize("name", ["event", "event\x00", "ev\x07ent"])
@pytest.mark.parametrize("event", ["payment", "pay\x00ment", "\x00payment", "pay\x1bment\x7f"])
def test_a_payment_is_signed_however_it_is_spelled(client: Client, db: None, name: str, event: str) -> None:
    """The signature is checked on the stored text."""
    payload = {"salon_id": 10101, "application_id": 1, "partner_token": TOKEN, "event": "freeze", name: event}
    assert post_callback(client, json.dumps(payload).encode()).status_code == 403
    assert not Callback.objects.exists()


def test_a_byte_order_mark_is_no_reason_to_lose_a_callback(client: Client, db: None) -> None:
    payload = {"salon_id": 10101, "application_id": 1, "partner_token": TOKEN, "event": "freeze"}
    assert post_callback(client, b"\xef\xbb\xbf" + json.dumps(payload).encode()).status_code == 200


@pytest.mark.parametrize("odd", ["1E+999999999999999999999", "-1e-999999", "9" * 5000, "0.30000000000000004"])
def test_a_number_of_any_size_is_stored_and_read_again(client: Client, db: None, odd: str) -> None:
    body = f'{{"salon_id": 1, "application_id": 1, "event": "x", "partner_token": "{TOKEN}", "odd": {odd}}}'
    assert post_callback(client, body.encode()).status_code == 200
    assert parse_as_written(Callback.objects.get().body)["odd"] == odd


def test_text_that_a_database_cannot_hold_is_stored_too(client: Client, db: None) -> None:
    assert send_callback(client, "sur\x00prise \ud800", odd="\x00\ud800", deep=[[[{}]]]).status_code == 200
    assert Callback.objects.get().event == "surprise \ufffd"


def test_numbers_as_text_and_the_reverse_are_taken(client: Client, db: None) -> None:
    assert send_callback(client, salon_id="10101", application_id="1").status_code == 200


def test_secrets_are_not_stored(client: Client, db: None) -> None:
    assert send_callback(client, note=f"it is {TOKEN}").status_code == 200
    stored = Callback.objects.get().body
    assert TOKEN not in stored
    assert "partner_token" not in stored


def test_more_than_64_kib_is_413_and_other_methods_405(client: Client, db: None) -> None:
    assert post_callback(client, b"x" * (64 * 1024 + 1)).status_code == 413
    assert post_callback(client, b"x" * (64 * 1024)).status_code == 400
    assert client.get(ADDRESS).status_code == 405


def test_with_the_database_away_the_answer_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(callback_endpoint, "insert_callback", away)
    assert send_callback(client).status_code == 503


def test_a_handler_that_fails_is_seen_and_can_be_repeated(
    client: Client,
    altegio: Sandbox,
    work: Work,
    connected: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from integrations.lifecycle.processing import process_again

    monkeypatch.setattr(CALLBACK_HANDLERS, "_entries", {})

    def fail(*_args: Any) -> None:
        raise RuntimeError("no")

    register_callback_handler("freeze", fail)
    send_callback(client, "freeze")
    work()
    assert FailedItem.objects.get().error == "RuntimeError: no"

    monkeypatch.setattr(CALLBACK_HANDLERS, "_entries", {})
    process_again(Callback.objects.all())
    work()
    assert Callback.objects.get().state == "contradicted"
    assert not FailedItem.objects.exists()


def test_an_answer_older_than_the_last_change_is_asked_again(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    from integrations.altegio.answers import NOT_CONNECTED
    from integrations.connections.transitions import lock
    from integrations.status_sync.status_sync import apply_status

    apply_status(lock(connected.pk), NOT_CONNECTED, asked_at=connected.arrived_at)
    work()
    assert state_of(connected) == "active"
    assert len(altegio.requests("status")) == 1


def test_a_location_that_never_ended_at_altegio_goes_on(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    from integrations.connections.transitions import lock, move
    from integrations.status_sync.status_sync import ask_status

    move(lock(connected.pk), State.UNINSTALLED, "A mistake.")
    ask_status(connected)
    work()
    assert state_of(connected) == "active"


def test_a_later_grant_gives_nobody_the_location(
    client: Client, altegio: Sandbox, work: Work, connected: Connection
) -> None:
    altegio.uninstall(10101)
    send_callback(client)
    work()
    altegio.set_application(1, private=True)
    altegio.grant(10101, user_id=9002)
    send_callback(client, "freeze")
    work()
    altegio.set_application(1, private=False)
    assert state_of(connected) == "uninstalled"
    assert Alert.objects.get(kind="unknown").connection == connected
