"""Call notifications go out at once, ahead of everything but activations, or are dropped and counted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from integrations.connections.models import Application, Chain, Connection
from integrations.outbox.claim import claim_next
from integrations.outbox.models import OutgoingCall
from integrations.sender_names.names import replace_names
from integrations.telephony import call_notifications
from integrations.telephony.models import NotificationDay
from sandbox import Sandbox
from tests import marketplace
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db
NOTIFY = "telephony/notifications/"
RINGING = {"salon_id": 10101, "phone": "07700 900123", "diversion": "+44 20 7183 8750"}


def payload(altegio: Sandbox) -> list[dict[str, Any]]:
    return [entry for entry in altegio.telephony() if entry["command"] == "event"]


def test_a_ringing_call_is_notified(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    answer = api("post", NOTIFY, {**RINGING, "user": "anna"})
    accepted = {"phone": "+447700900123", "diversion": "+442071838750", "state": "queued", "warnings": []}
    assert (answer.status_code, answer.json()) == (202, accepted)
    work()
    (event,) = payload(altegio)
    assert (event["phone"], event["diversion"], event["user"]) == ("+447700900123", "+442071838750", "anna")
    assert event["chain_id"] == telephony.altegio_id
    assert NotificationDay.objects.get().shown == 1


def test_the_chain_may_be_named_by_its_id(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    body = {"salon_group_id": telephony.altegio_id, "phone": "07700 900123", "diversion": "442071838750"}
    assert api("post", NOTIFY, body).status_code == 202
    work()
    assert payload(altegio)[0]["phone"] == "+447700900123"


def test_a_notification_goes_ahead_of_waiting_calls(
    api: Api, altegio: Sandbox, telephony: Chain, connect: Callable[..., Connection]
) -> None:
    replace_names(connect(10301), ["Napfeny"])
    api("post", NOTIFY, RINGING)
    claim = claim_next()
    assert claim is not None
    assert claim.call.kind == "call_notification"


def test_a_notification_older_than_15_seconds_is_dropped_and_counted(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, time_machine: TimeMachineFixture
) -> None:
    api("post", NOTIFY, RINGING)
    time_machine.move_to(timezone.now() + timedelta(seconds=16))
    work()
    assert payload(altegio) == []
    assert OutgoingCall.objects.get(kind="call_notification").state == "expired"
    day = NotificationDay.objects.get()
    assert (day.shown, day.dropped) == (0, 1)


def test_a_void_crm_token_does_not_stop_the_partners_calls(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    altegio.fault("error", "voip", status=401)
    api("post", NOTIFY, RINGING)
    work()
    assert NotificationDay.objects.get().refused == 1
    altegio.clear_faults()
    api("post", NOTIFY, {**RINGING, "phone": "+447700900124"})
    work()
    assert len(payload(altegio)) == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"phone": "nobody"}, 400, "phone"),
        ({"diversion": ""}, 400, "diversion"),
        ({"salon_id": "x"}, 400, "salon_id"),
        ({"salon_id": None}, 400, "salon_id"),
        ({"salon_id": 424242}, 404, "detail"),
        ({"salon_group_id": 424242}, 404, "detail"),
    ],
)
def test_a_wrong_notification_is_refused(
    api: Api, telephony: Chain, change: dict[str, Any], code: int, field: str
) -> None:
    answer = api("post", NOTIFY, {**RINGING, **change})
    assert answer.status_code == code
    assert field in answer.json()


def test_a_location_that_has_only_text_messages_is_not_called_unknown(
    api: Api, connect: Callable[..., Connection]
) -> None:
    connect(10301)
    answer = api("post", NOTIFY, {**RINGING, "salon_id": 10301})
    assert (answer.status_code, answer.json()["detail"]) == (404, "This location has connected no telephony.")


@pytest.mark.parametrize("address", [NOTIFY, "telephony/calls/"])
def test_until_altegio_has_accepted_the_connection_no_telephony_is_connected(
    api: Api, client: Client, altegio: Sandbox, address: str
) -> None:
    Application.objects.create(altegio_id=2, kind="telephony")
    marketplace.arrive(client, altegio, 10301, application_id=2)
    assert Connection.objects.get().activated_at is None
    answer = api("post", address, {**RINGING, "salon_id": 10301, "type": "incoming"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "This location has connected no telephony.")


@pytest.mark.parametrize("phone", ["", None, "anonymous", "<unknown>"])
def test_a_hidden_caller_is_not_notified(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, phone: str | None
) -> None:
    answer = api("post", NOTIFY, {**RINGING, "phone": phone})
    assert (answer.status_code, answer.json()["state"]) == (202, "kept")
    assert answer.json()["warnings"][0]["field"] == "phone"
    work()
    assert payload(altegio) == []


def test_an_unreadable_called_number_loses_no_notification(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    answer = api("post", NOTIFY, {**RINGING, "user": ["anna"], "diversion": "600"})
    assert [warning["field"] for warning in answer.json()["warnings"]] == ["user"]
    work()
    assert payload(altegio)[0]["diversion"] == "600"


@pytest.mark.parametrize(
    "legs",
    [
        pytest.param([{"user": "101"}, {"user": "102"}, {"user": "103"}], id="one number at one line"),
        pytest.param(
            [{"diversion": line, "call_id": "1763993400.1230"} for line in ("101", "102", "103")], id="one call_id"
        ),
    ],
)
def test_a_ring_group_of_three_is_notified_once(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, legs: Any
) -> None:
    answers = [api("post", NOTIFY, {**RINGING, **leg}) for leg in legs]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert [bool(answer.json()["warnings"]) for answer in answers] == [False, True, True]
    work()
    assert len(payload(altegio)) == 1


def test_two_callers_and_a_repeated_call_are_separate_notifications(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, settings: Settings
) -> None:
    api("post", NOTIFY, {**RINGING, "call_id": "1"})
    api("post", NOTIFY, {**RINGING, "call_id": "2", "phone": "+447700900124"})
    cache.clear()  # what the cache does after ten seconds
    api("post", NOTIFY, {**RINGING, "call_id": "3"})
    work()
    assert len(payload(altegio)) == 3


def test_a_notification_that_could_not_be_stored_may_be_sent_again(
    telephony: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    parties = {"phone": "+447700900123", "diversion": "+442071838750"}
    monkeypatch.setattr(call_notifications, "queue_fresh", lambda _calls: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_notifications.notify_of_call(telephony, **parties)
    monkeypatch.undo()
    assert call_notifications.notify_of_call(telephony, **parties)


def test_a_location_or_chain_must_be_named(api: Api, telephony: Chain) -> None:
    answer = api("post", NOTIFY, {"phone": "+442071838750", "diversion": "+442071838750"})
    assert answer.status_code == 400


def test_a_chain_without_telephony_is_a_conflict(api: Api, telephony: Chain) -> None:
    telephony.crm_token = ""
    telephony.save()
    assert api("post", NOTIFY, RINGING).status_code == 409


def test_the_crm_token_stands_in_no_record(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    from integrations.outbox.models import Attempt

    api("post", NOTIFY, RINGING)
    work()
    assert telephony.crm_token
    assert telephony.crm_token not in repr([*OutgoingCall.objects.values_list(), *Attempt.objects.values_list()])
