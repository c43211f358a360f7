"""The API takes lists of calls, shows what became of them, retries them and reads a location's lines."""

from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from integrations.connections.models import Chain, Location
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import MAX_ATTEMPTS
from sandbox import Sandbox
from tests.integrations.telephony.calling import CALL, CALLS, saved
from tests.not_none import not_none
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db
LINES = "locations/10101/lines/"


def test_a_list_has_one_result_for_each_call(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    calls = [
        CALL,
        {**CALL, "call_id": "2", "type": "in"},
        {**CALL, "call_id": "3", "salon_id": 424242},
        {**CALL, "call_id": "4", "link": "/var/spool/1.wav"},
        {**CALL, "call_id": "5", "phone": "anonymous"},
        "no object",
        CALL,
    ]
    answer = api("post", CALLS, calls)
    assert answer.status_code == 202
    results = answer.json()
    assert [result["code"] for result in results] == [202, 400, 404, 202, 202, 400, 200]
    assert "incoming, outgoing, internal" in results[1]["problems"]["type"][0]
    assert results[3]["warnings"][0]["field"] == "link"
    assert results[4]["state"] == "kept"
    assert results[0]["id"] == results[6]["id"]
    work()
    assert sorted(entry["call_id"] for entry in saved(altegio)) == ["4", "pbx-1"]


@pytest.mark.parametrize("calls", [[], [CALL] * 201])
def test_a_list_holds_1_to_200_calls(api: Api, telephony: Chain, calls: Any) -> None:
    answer = api("post", CALLS, calls)
    assert (answer.status_code, answer.json()) == (400, {"non_field_errors": ["Send a list of 1 to 200 calls."]})


def test_a_list_in_which_nothing_can_be_read_is_refused(api: Api, telephony: Chain) -> None:
    answer = api("post", CALLS, [{**CALL, "type": "in"}, "no object"])
    assert (answer.status_code, list(answer.json())) == (400, ["0", "1"])
    assert "incoming, outgoing, internal" in answer.json()["0"]["type"][0]


def test_a_call_with_any_number_of_unknown_fields_has_few_warnings(api: Api, telephony: Chain) -> None:
    unknown = {f"x{number}": 0 for number in range(1000)}
    answer = api("post", CALLS, CALL | unknown)
    assert answer.status_code == 202
    warnings = answer.json()["warnings"]
    assert (len(warnings), warnings[-1]["message"]) == (101, "So many more fields were left out: 900.")
    assert PhoneCall.objects.get().warnings == warnings


@pytest.mark.parametrize("count", [1, 200])
def test_a_list_costs_a_constant_number_of_queries(
    api: Api, telephony: Chain, django_assert_max_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    calls = [{**CALL, "call_id": f"pbx-{number}"} for number in range(count)]
    with django_assert_max_num_queries(16):
        api("post", CALLS, calls)
    with django_assert_max_num_queries(16):
        api("post", CALLS, [{**call, "duration": 62} for call in calls])
    assert PhoneCall.objects.filter(duration=62).count() == count


@pytest.mark.parametrize("place", [{"salon_id": 10101}, {"salon_group_id": 501}])
def test_a_new_call_takes_six_statements_and_opens_no_secret(
    api: Api,
    telephony: Chain,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
    place: dict[str, int],
) -> None:
    call = {name: value for name, value in CALL.items() if name not in ("salon_id", "salon_group_id")} | place
    assert api("post", CALLS, call).status_code == 202
    opened: list[str] = []
    monkeypatch.setattr("partner_portal.core.encryption.decrypt", opened.append)
    with django_assert_num_queries(6 + len(("SAVEPOINT", "RELEASE"))):
        assert api("post", CALLS, {**call, "call_id": "pbx-2"}).status_code == 202
    assert opened == []


def test_the_outcome_of_a_call_can_be_requested(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    altegio.fault("error", "voip", status=422, remaining=1)
    api("post", CALLS, {**CALL, "duration": "long"})
    work()
    (call,) = api("get", f"{CALLS}?call_id=pbx-1&state=failed&salon_id=10101").json()["results"]
    assert (call["state"], bool(call["error"]), call["warnings"][0]["field"]) == ("failed", True, "duration")
    assert (call["salon_id"], call["salon_group_id"]) == (10101, telephony.altegio_id)
    assert api("get", f"{CALLS}{call['id']}/").json() == call
    for other in ("call_id=pbx-2", "state=saved", "salon_id=10102"):
        assert api("get", f"{CALLS}?{other}").json()["results"] == []
    assert api("get", f"{CALLS}?phone=1").status_code == 400


def test_a_failed_call_is_tried_again_and_no_other(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    altegio.fault("error", "voip", status=422, remaining=1)
    api("post", CALLS, CALL)
    work()
    number = PhoneCall.objects.get().pk
    answer = api("post", f"{CALLS}{number}/retry/")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    work()
    assert len(saved(altegio)) == 1
    again = api("post", f"{CALLS}{number}/retry/")
    assert (again.status_code, "at Altegio" in again.json()["detail"]) == (409, True)
    assert api("post", f"{CALLS}4242/retry/").status_code == 404


def test_a_loop_that_resends_a_refused_call_is_stopped_and_delays_no_other(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    altegio.fault("error", "voip", status=422, remaining=1)
    api("post", CALLS, CALL)
    work()
    PhoneCall.objects.update(attempt_count=MAX_ATTEMPTS)
    again = api("post", f"{CALLS}{PhoneCall.objects.get().pk}/retry/")
    assert (again.status_code, "1000 times" in again.json()["detail"]) == (409, True)
    several = api("post", CALLS, [CALL, {**CALL, "call_id": "pbx-2"}]).json()
    assert [each["code"] for each in several] == [409, 202]
    assert "1000 times" in several[0]["problems"]["detail"]


def test_a_locations_lines_say_how_its_calls_are_read(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    own = api("get", LINES).json()
    assert own == {"country": "GB", "time_zone": "Europe/London", "lines": {}}
    answer = api("put", LINES, {"country": "ua", "time_zone": "Europe/Kyiv", "lines": {"101": "044 537 00 00"}})
    expected = {"country": "UA", "time_zone": "Europe/Kyiv", "lines": {"101": "+380445370000"}}
    assert (answer.status_code, answer.json(), api("get", LINES).json()) == (200, expected, expected)

    api(
        "post", CALLS, {**CALL, "phone": "0671234567", "diversion": "SIP/101-0000a1b2", "date": "2026-11-24 14:10:00"}
    )
    work()
    (entry,) = saved(altegio)
    assert (entry["phone"], entry["diversion"]) == ("+380671234567", "+380445370000")
    assert entry["date"] == "2026-11-24T12:10:00+00:00"

    assert api("put", LINES, {}).json() == own


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"country": "Ukraine"}, "country"),
        ({"country": 5}, "country"),
        ({"time_zone": "Kyiv"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"lines": ["101"]}, "lines"),
        ({"lines": {"101": "12"}}, "lines"),
        ({"lines": {"a b": "+442071838750"}}, "lines"),
        ({"lines": {"101": 5}}, "lines"),
        ({"zone": "Europe/Kyiv"}, "zone"),
        ([], "non_field_errors"),
    ],
)
def test_wrong_lines_are_named_and_change_nothing(api: Api, telephony: Chain, body: Any, problem: str) -> None:
    answer = api("put", LINES, body)
    assert (answer.status_code, list(answer.json())) == (400, [problem])
    assert api("get", LINES).json()["lines"] == {}


@pytest.mark.parametrize("salon_id", ["424242", "x", "0"])
def test_lines_of_an_unknown_location(api: Api, telephony: Chain, salon_id: str) -> None:
    assert api("get", f"locations/{salon_id}/lines/").status_code == 404


def test_a_moment_and_a_number_of_a_chain_are_read_where_its_locations_agree(api: Api, telephony: Chain) -> None:
    call = {**CALL, "salon_group_id": telephony.altegio_id, "phone": "07700 900123", "date": "2026-07-24 14:10:00"}
    del call["salon_id"]
    api("post", CALLS, call)
    assert not_none(PhoneCall.objects.get().date).isoformat() == "2026-07-24T13:10:00+00:00"

    Location.objects.create(altegio_id=4, chain=telephony, country="Hungary", timezone_name="Europe/Budapest")
    answer = api("post", CALLS, {**call, "call_id": "2"})
    assert (answer.status_code, list(answer.json())) == (400, ["phone"])
    api("post", CALLS, {**call, "call_id": "3", "phone": "+447700900123"})
    kept = PhoneCall.objects.get(call_id="3")
    assert not_none(kept.date).isoformat() == "2026-07-24T14:10:00+00:00"  # the application's
