"""The gateway reports statuses: all checked, stored once, relayed in order, each of them delivered."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from integrations.alerts.models import Alert
from integrations.connections.models import Location
from integrations.messaging.call_kinds import send_refused_again
from integrations.messaging.models import CallbackAddress, DailyVolume, MessageStatus, StatusBatch
from integrations.messaging.parsing import ADVICE
from integrations.messaging.volumes import count_volumes
from integrations.outbox.models import Attempt, OutgoingCall, TokenStop
from partner_portal.core.retention import delete_old
from sandbox import Sandbox
from tests.integrations.messaging.reporting import STATUSES, sent, status
from tests.response import Api

pytestmark = pytest.mark.django_db


def test_statuses_reach_altegio_in_one_call(api: Api, altegio: Sandbox, work: Callable[..., None]) -> None:
    answer = api("post", STATUSES, [status("m1", 4), status("m1", 1), status("m2", 8, payment_sum="0")])
    assert (answer.status_code, answer.json()) == (202, {"accepted": 3})

    work()

    assert sent(altegio) == [("m1", 4), ("m1", 1), ("m2", 8)]
    (call,) = altegio.requests("sms_statuses")
    assert call.body[1] == {
        "id": "m1",
        "status": 1,
        "payment_sum": Decimal("0.05"),
        "currency_iso": "EUR",
        "parts_amount": 1,
    }
    assert json.loads(call.raw_body)[2]["payment_sum"] == 0
    assert set(StatusBatch.objects.values_list("state", flat=True)) == {"sent"}


def test_an_id_goes_back_as_altegio_gave_it(api: Api, altegio: Sandbox, work: Callable[..., None]) -> None:
    api("post", STATUSES, [status(77, 2), status("0078", 2)])
    work()
    assert sent(altegio) == [(77, 2), ("0078", 2)]


def test_a_status_reported_twice_is_taken_and_not_sent_again(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    api("post", STATUSES, [status("m1", 4), status("m1", 4)])
    work()
    again = api("post", STATUSES, [status("m1", 4), status("m1", 1)])
    work()
    repeated = api("post", STATUSES, [status("m1", 4)])
    work()

    assert again.json() == {"accepted": 2}
    assert repeated.json() == {"accepted": 1}
    assert sent(altegio) == [("m1", 4), ("m1", 1)]
    assert len(altegio.requests("sms_statuses")) == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"status": 1}, "id"),
        (status(number=3), "status"),
        (status(number="LOST"), "status"),
        (status(number="3"), "status"),
        (status(number=True), "status"),
        (status(payment_sum=None), "payment_sum"),
        (status(number=8, currency_iso=None), "currency_iso"),
        (status(parts_amount=None), "parts_amount"),
        (status(payment_sum=-1), "payment_sum"),
        (status(payment_sum="1,5"), "payment_sum"),
        (status(payment_sum="NaN"), "payment_sum"),
        (status(payment_sum=10**12), "payment_sum"),
        (status(payment_sum="999999999999.9999999"), "payment_sum"),
        (status(payment_sum="1_0"), "payment_sum"),
        (status(payment_sum="1e400"), "payment_sum"),
        (status(payment_sum=True), "payment_sum"),
        (status(currency_iso="eur"), "currency_iso"),
        (status(parts_amount=1.5), "parts_amount"),
        (status(delivery_callback_url="https://evil.example/x"), "delivery_callback_url"),
        (status(delivery_callback_url="https://app.alteg.io@evil.example/x"), "delivery_callback_url"),
        (status(delivery_callback_url="https://app.alteg.io\\@evil.example/"), "delivery_callback_url"),
        (status(delivery_callback_url="ftp://app.alteg.io/"), "delivery_callback_url"),
        (status(delivery_callback_url="https://app.alteg.io:8443/"), "delivery_callback_url"),
        ("m1", "item"),
        (status("\ud800"), "id"),
        (status("  "), "id"),
        (status("a\nb"), "id"),
        (status(True), "id"),
        (status("x" * 101), "id"),
    ],
)
def test_one_wrong_item_refuses_the_list_and_is_named(api: Api, wrong: Any, field: str) -> None:
    answer = api("post", STATUSES, [status("ok", 4), wrong])
    assert answer.status_code == 400
    assert list(answer.json()) == ["1"]
    assert field in answer.json()["1"]
    assert not MessageStatus.objects.exists()
    assert not OutgoingCall.objects.exists()


def test_every_wrong_field_of_every_item_is_named_with_what_to_write(api: Api) -> None:
    address = "https://evil.example/x"
    twice_wrong = {"id": "", "status": 1, "payment_sum": "x", "currency_iso": "", "delivery_callback_url": address}
    answer = api("post", STATUSES, [twice_wrong, status("ok", 4), {"status": 3, "payment_sum": "x"}, None])
    assert answer.json() == {
        "0": {
            "id": ["Write the message's id: 1 to 100 characters."],
            "payment_sum": ["Write a sum of 0 or more, like 0.05; it is rounded to 6 decimals."],
            "currency_iso": ["Needed with the statuses 1 and 8; a free message has the sum 0."],
            "parts_amount": ["Needed with the statuses 1 and 8; a free message has the sum 0."],
            "delivery_callback_url": ["Statuses go to Altegio's own addresses only."],
        },
        "2": {
            "id": ["Write the message's id: 1 to 100 characters."],
            "status": [ADVICE["status"]],
        },
        "3": {"item": ["Write an object."]},
    }


@pytest.mark.parametrize(
    ("sum_told", "stored"),
    [("0.30000000000000004", "0.3"), (0.0000001, "0"), (999_999_999_999, "999999999999"), (" 0.01820000", "0.0182")],
)
def test_a_sum_is_rounded_to_the_column(api: Api, altegio: Sandbox, sum_told: float | int | str, stored: str) -> None:
    assert api("post", STATUSES, [status(payment_sum=sum_told)]).json() == {"accepted": 1}
    assert MessageStatus.objects.get().payment_sum == Decimal(stored)


@pytest.mark.parametrize("body", [[], {}, '"x"', [status(str(number), 4) for number in range(1001)]])
def test_the_list_holds_1_to_1000_statuses(api: Api, body: Any) -> None:
    answer = api("post", STATUSES, body)
    assert (answer.status_code, answer.json()) == (400, {"non_field_errors": ["Send a list of 1 to 1000 statuses."]})


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        (status(price=1), "price"),
        (status(salon_id=0), "salon_id"),
        (status(number=2, payment_sum="free"), "payment_sum"),
        (status(number=16, currency_iso="?"), "currency_iso"),
        (status(number=4, parts_amount="one"), "parts_amount"),
        ({**status(number=4), "\ud800": 1}, "'\\ud800'"),
        (status(number=4, comment=["a\x00"]), "comment"),
        (status(number=2, currency_iso="\x00"), "currency_iso"),
    ],
)
def test_no_status_is_lost_for_its_decoration(
    api: Api, altegio: Sandbox, work: Callable[..., None], odd: Any, name: str
) -> None:
    answer = api("post", STATUSES, [status("ok", 4), odd])
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert [warning["field"] for warning in answer.json()["warnings"]] == [f"1.{name}"]
    work()
    assert len(sent(altegio)) == 2


def test_what_was_left_out_stands_at_its_own_address_alone_and_is_named_shortly(api: Api, altegio: Sandbox) -> None:
    """A report of 2 MiB could name 300,000 unknown fields, for each of a thousand addresses."""
    unknown = {f"x{number}": 1 for number in range(150)}
    there = {"delivery_callback_url": f"{altegio.api_url}/delivery/status"}
    answer = api(
        "post", STATUSES, [status("m1", 4, **there), status("m2", 4, x=1), status("m3", 4, **there, **unknown)]
    )

    warnings = {batch.address.path: batch.warnings for batch in StatusBatch.objects.select_related("address")}
    assert warnings.pop("/smsprovider/status/callback/{partner_token}") == [answer.json()["warnings"][0]]
    (others,) = warnings.values()
    assert {item["field"].split(".")[0] for item in others[:100]} == {"2"}
    assert others[100]["message"].endswith(" 50.")
    assert len(answer.json()["warnings"]) == 101


def test_a_report_of_too_many_values_is_refused(api: Api) -> None:
    unknown = {f"x{number}": 1 for number in range(100_000)}
    answer = api("post", STATUSES, [status("m1", 4, **unknown)])
    assert (answer.status_code, "more than 100000 values" in answer.json()["detail"]) == (400, True)


def test_a_blank_sum_where_none_is_wanted_is_none(api: Api, altegio: Sandbox, work: Callable[..., None]) -> None:
    blank = {"payment_sum": "", "currency_iso": "", "parts_amount": None, "delivery_callback_url": ""}
    answer = api("post", STATUSES, [status("m1", 2, **blank)])
    assert answer.json() == {"accepted": 1}
    work()
    assert sent(altegio) == [("m1", 2)]


def test_1000_statuses_cost_a_constant_number_of_queries(
    api: Api, altegio: Sandbox, work: Callable[..., None], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    api("post", STATUSES, [status("m0", 1)])
    # SQLite stores so many rows in parts.
    with django_assert_max_num_queries(8 if connection.vendor == "postgresql" else 30):
        answer = api("post", STATUSES, [status(f"m{number}", 1) for number in range(1, 1000)])
    assert answer.json() == {"accepted": 999}
    work()
    assert len(altegio.requests("sms_statuses")) == 1
    assert len(sent(altegio)) == 1000


def test_many_small_reports_become_few_calls_in_their_order(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    for number in range(60):
        api("post", STATUSES, [status("m1", (4, 2)[number % 2])] if number < 2 else [status(f"m{number}", 4)])
    work()
    assert len(altegio.requests("sms_statuses")) == 1
    assert sent(altegio)[:2] == [("m1", 4), ("m1", 2)]
    assert len(sent(altegio)) == 60


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "html_after", "error"])
def test_after_an_uncertain_end_the_batch_goes_again(
    api: Api, altegio: Sandbox, work: Callable[..., None], fault: str
) -> None:
    altegio.fault(fault, "sms_statuses", remaining=2)
    api("post", STATUSES, [status("m1", 4), status("m2", 1)])
    work()
    bodies = [call.body for call in altegio.requests("sms_statuses")]
    assert bodies == [bodies[0]] * 3
    assert set(sent(altegio)) == {("m1", 4), ("m2", 1)}


def test_a_wrong_status_is_found_and_the_others_are_delivered_in_order(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    altegio.refuse_sms("m5")
    api("post", STATUSES, [status(f"m{number}", 4) for number in range(10)])
    api("post", STATUSES, [status("m1", 1), status("m9", 1)])
    work()

    delivered = sent(altegio)
    assert sorted(delivered) == sorted([(f"m{n}", 4) for n in range(10) if n != 5] + [("m1", 1), ("m9", 1)])
    assert delivered.index(("m1", 4)) < delivered.index(("m1", 1))
    assert delivered.index(("m9", 4)) < delivered.index(("m9", 1))
    refused = StatusBatch.objects.get(state="refused")
    assert refused.statuses.get().message_id == "m5"
    assert (refused.refusal, refused.refusal_code) == ("The message was not found.", 30)


def test_statuses_go_to_the_address_that_came_with_the_message(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    other = f"{altegio.api_url}/delivery/status"
    api("post", STATUSES, [status("m1", 4), status("m2", 4, delivery_callback_url=other)])
    work()
    paths = {call.body[0]["id"]: call.path for call in altegio.requests("sms_statuses")}
    assert paths == {"m1": "/smsprovider/status/callback/***", "m2": "/api/v1/delivery/status"}


def test_the_token_in_an_address_is_put_in_when_sending_and_stands_in_no_record(
    api: Api, altegio: Sandbox, work: Callable[..., None], settings: Settings
) -> None:
    token = settings.ALTEGIO_PARTNER_TOKEN
    api("post", STATUSES, [status(delivery_callback_url=f"{altegio.app_url}/smsprovider/status/callback/{token}")])
    work()

    assert sent(altegio) == [("m1", 1)]
    batch = StatusBatch.objects.get()
    assert batch.address.path == "/smsprovider/status/callback/{partner_token}"
    stored = [*Attempt.objects.values_list(), *OutgoingCall.objects.values_list(), batch.address.path]
    assert token not in repr(stored)


def refused_with_401(altegio: Sandbox, path: str) -> None:
    body = {"success": False, "meta": {"message": "Who are you?", "code": 20}}
    altegio.fault("error", "sms_statuses", path=path, status=401, body=body, remaining=None)


def test_an_address_that_altegio_refuses_stops_no_other_call(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    other = f"{altegio.app_url}/smsprovider/7/status/callback/WRONG"
    refused_with_401(altegio, "/smsprovider/7/")
    named = [status(f"m{number}", 4, delivery_callback_url=other) for number in range(3)]
    api("post", STATUSES, [*named, status("m9", 4)])
    work()

    assert not TokenStop.objects.exists()
    assert sent(altegio) == [("m9", 4)]
    refused = StatusBatch.objects.get(state="refused")
    assert (refused.size, refused.refusal, refused.refusal_code) == (3, "Who are you?", 20)
    alert = Alert.objects.get()
    assert "/smsprovider/7/status/callback/{partner_token}: Who are you?" in alert.text
    assert "WRONG" not in repr([*Attempt.objects.values_list(), *CallbackAddress.objects.values_list()])

    altegio.clear_faults()
    send_refused_again(StatusBatch.objects.all())
    work()
    assert len(sent(altegio)) == 4, "the token in the address was ours to put in"
    alert.refresh_from_db()
    assert alert.cleared_at is not None


def test_only_the_statuses_that_are_named_go_again(api: Api, altegio: Sandbox, work: Callable[..., None]) -> None:
    """Of a refused address whole lists are refused."""
    other = f"{altegio.app_url}/smsprovider/7/status/callback/WRONG"
    refused_with_401(altegio, "/smsprovider/7/")
    api("post", STATUSES, [status(f"m{number}", 4, delivery_callback_url=other) for number in range(4)])
    work()
    altegio.clear_faults()

    assert api("post", f"{STATUSES}retry/", {"ids": ["m1", "unknown"]}).json() == {"accepted": 1}
    work()
    assert sent(altegio) == [("m1", 4)]
    shown = {row["id"]: (row["state"], row["error"]) for row in api("get", STATUSES).json()["results"]}
    why = "Who are you?"
    assert shown == {"m0": ("refused", why), "m1": ("sent", ""), "m2": ("refused", why), "m3": ("refused", why)}

    assert api("post", f"{STATUSES}retry/", {}).json() == {"accepted": 3}
    work()
    assert len(sent(altegio)) == 4


@pytest.mark.parametrize("address", ["", "/api/v1/delivery/status"])
def test_a_401_at_altegios_own_address_stops_the_token(
    api: Api, altegio: Sandbox, work: Callable[..., None], address: str
) -> None:
    refused_with_401(altegio, address)
    api("post", STATUSES, [status(delivery_callback_url=address and f"{altegio.app_url}{address}")])
    work(rounds=1)
    assert TokenStop.objects.exists()
    assert not StatusBatch.objects.filter(state="refused").exists()


def test_without_the_scope_nothing_is_taken(api: Api) -> None:
    from accounts.models import ApiKey

    _key, secret = ApiKey.objects.create_key(name="other", scopes=["telephony"])
    assert api("post", STATUSES, [status()], secret=secret).status_code == 403
    assert api("post", STATUSES, [status()], secret="wrong").status_code == 401


def test_volumes_are_counted_by_day_location_and_status_once(
    api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    Location.objects.create(altegio_id=10101)
    altegio.refuse_sms("m2")
    api("post", STATUSES, [status("m1", salon_id=10101), status("m2", salon_id=10101), status("m3"), status("m4", 2)])
    work()
    count_volumes()
    count_volumes()

    today = timezone.now().date()
    figures = {
        (volume.day, volume.salon_id, volume.status, volume.currency_iso): (volume.messages, volume.cost)
        for volume in DailyVolume.objects.all()
    }
    assert figures == {
        (today, 10101, 1, "EUR"): (2, Decimal("0.10")),
        (today, 0, 1, "EUR"): (1, Decimal("0.05")),
        (today, 0, 2, ""): (1, Decimal(0)),
    }


def test_old_statuses_go_once_they_are_sent_and_counted(
    api: Api, altegio: Sandbox, work: Callable[..., None], settings: Settings, time_machine: Any
) -> None:
    api("post", STATUSES, [status("sent", 4)])
    work()
    count_volumes()
    altegio.fault("error", "sms_statuses")
    api("post", STATUSES, [status("waiting", 4)])
    time_machine.move_to(timezone.now() + timedelta(days=settings.RETENTION_SMS_STATUSES_DAYS + 1))

    assert delete_old()["message statuses"] == 1

    assert list(MessageStatus.objects.values_list("message_id", flat=True)) == ["waiting"]
    assert DailyVolume.objects.exists()
