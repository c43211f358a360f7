"""Legs of one call under one `call_id` are merged until it is sent, and reported as a conflict afterwards."""

from typing import Any

import pytest
from django.test import Client

from integrations.connections.models import Chain
from integrations.outbox.models import OutgoingCall
from integrations.telephony import legs
from integrations.telephony.models import PhoneCall
from sandbox import Sandbox
from tests.integrations.telephony.calling import CALL, CALLS, history, saved
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db
ASTERISK = "1763993400.1234"
RANG_AT_101 = {**CALL, "call_id": ASTERISK, "status": "missed", "user": "101", "duration": 0, "link": ""}
TALKED_AT_102 = {**CALL, "call_id": ASTERISK, "status": "success", "user": "102", "duration": 65}


def leg(**fields: object) -> dict[str, object]:
    return {**legs.FIELDS, "type": "incoming", "phone": "+447700900123", **fields}


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        pytest.param({"status": "missed"}, {"status": "success"}, id="answered over missed"),
        pytest.param({"status": "missed", "duration": 90}, {"status": ""}, id="a long ring is no talk"),
        pytest.param({"duration": 5}, {"duration": 65}, id="the longer talk"),
        pytest.param({}, {"link": "https://pbx.example/1.wav"}, id="with a recording"),
        pytest.param({"type": "internal", "duration": 90}, {"duration": 5}, id="the client's leg of a transfer"),
        pytest.param({"phone": ""}, {"status": "missed"}, id="the leg that shows the number"),
    ],
)
def test_the_better_leg_wins(worse: dict[str, Any], better: dict[str, Any]) -> None:
    assert legs.merged(leg(**worse), leg(**better)) == leg(**better)
    assert legs.merged(leg(**better), leg(**worse)) == leg(**better)


def test_the_later_of_equal_legs_wins() -> None:
    first, second = leg(user="101"), leg(user="102")
    assert (legs.merged(first, second), legs.merged(second, first)) == (second, first)


def test_a_recording_and_a_time_are_taken_from_the_other_leg() -> None:
    best = legs.merged(leg(link="https://pbx.example/1.wav", date="noon"), leg(status="success"))
    assert (best["status"], best["link"], best["date"]) == ("success", "https://pbx.example/1.wav", "noon")


@pytest.mark.parametrize("order", [(RANG_AT_101, TALKED_AT_102), (TALKED_AT_102, RANG_AT_101)])
def test_legs_of_a_ring_group_become_one_answered_call(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, order: Any
) -> None:
    answers = [api("post", CALLS, call) for call in order]
    assert [answer.status_code for answer in answers] == [202, 200]
    work()
    (entry,) = saved(altegio)
    assert (entry["status"], entry["user"], entry["duration"], entry["link"]) == ("success", "102", 65, CALL["link"])
    assert len(history(altegio)) == 1


def test_legs_in_one_list_are_merged_too(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    answer = api("post", CALLS, [RANG_AT_101, TALKED_AT_102])
    assert [result["code"] for result in answer.json()] == [202, 200]
    work()
    assert [entry["status"] for entry in saved(altegio)] == ["success"]


def test_differences_of_the_worse_leg_are_named(api: Api, telephony: Chain) -> None:
    api("post", CALLS, TALKED_AT_102)
    answer = api("post", CALLS, RANG_AT_101)
    assert [warning["field"] for warning in answer.json()["warnings"]] == ["duration", "status", "user"]


def test_a_recording_after_the_call_was_sent_is_a_named_conflict(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    api("post", CALLS, {**TALKED_AT_102, "link": ""})
    work()
    answer = api("post", CALLS, TALKED_AT_102)
    assert answer.status_code == 409
    assert answer.json()["detail"].endswith("It differs in: link.")
    assert (answer.json()["state"], answer.json()["call_id"]) == ("saved", ASTERISK)


def test_a_repeated_leg_is_recognised_at_any_time(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    api("post", CALLS, TALKED_AT_102)
    work()
    assert api("post", CALLS, TALKED_AT_102).status_code == 200
    assert len(history(altegio)) == 1


def test_the_content_of_a_call_being_sent_is_fixed(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    altegio.fault("error", "voip", status=500)
    api("post", CALLS, RANG_AT_101)
    work(rounds=1)
    OutgoingCall.objects.filter(kind="call_history").update(state="unconfirmed")
    assert api("post", CALLS, TALKED_AT_102).status_code == 409


@pytest.mark.parametrize("change", [{}, {"duration": 60, "phone": "+447700900124"}])
def test_a_refused_call_is_sent_again_corrected_or_not(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, change: dict[str, Any]
) -> None:
    altegio.fault("error", "voip", status=422, remaining=1)
    api("post", CALLS, TALKED_AT_102)
    work()
    assert PhoneCall.objects.get().state == "failed"

    answer = api("post", CALLS, {**TALKED_AT_102, **change})
    assert (answer.status_code, answer.json()["state"], answer.json()["error"]) == (202, "queued", "")
    work()
    (entry,) = saved(altegio)
    assert change.items() <= entry.items()


def test_two_callers_under_one_id_are_told_apart(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    """An exchange that restarts its counter would lose the second caller."""
    api("post", CALLS, {**CALL, "call_id": "1"})
    answer = api("post", CALLS, {**CALL, "call_id": "1", "phone": "+447700900124"})
    assert answer.status_code == 409
    assert "+447700900123" in answer.json()["detail"]


def test_an_id_with_a_fraction_is_kept_as_written(api: Api, client: Client, telephony: Chain) -> None:
    _key = api("get", CALLS)
    for written in ("1763993400.1230", "1763993400.123"):
        answer = api("post", CALLS, CALL_AS_TEXT.replace('"ID"', written))
        assert (answer.status_code, answer.json()["call_id"]) == (202, written)
    assert PhoneCall.objects.count() == 2


CALL_AS_TEXT = (
    '{"salon_id": 10101, "type": "incoming", "phone": "+447700900123", "diversion": "101", "call_id": "ID"}'
)


def test_a_hidden_leg_gives_way_to_one_with_a_number(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    assert api("post", CALLS, {**RANG_AT_101, "phone": "anonymous"}).json()["state"] == "kept"
    answer = api("post", CALLS, TALKED_AT_102)
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    work()
    assert len(saved(altegio)) == 1
