"""Phone calls reach Altegio's history, none lost and none doubled."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from integrations.altegio.answers import no_answer
from integrations.connections.models import Chain, Location
from integrations.outbox.executor import OUR_FAILURE
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import CallHistory, send_again
from integrations.telephony.switched_off import settle_kept
from integrations.user_tokens.models import UserToken
from partner_portal.core.retention import delete_old
from sandbox import Sandbox
from tests.end_to_end.portal import wait_for
from tests.integrations.telephony.calling import CALL, CALLS, emmas_token, history, saved
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_a_call_reaches_the_history(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    answer = api("post", CALLS, CALL)
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    work()
    (entry,) = saved(altegio)
    expected = {**CALL, "date": "2026-03-01T11:00:00+00:00"}
    del expected["salon_id"]
    assert expected.items() <= entry.items()
    assert PhoneCall.objects.get().state == "saved"


def test_the_same_call_id_is_not_sent_twice(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    api("post", CALLS, CALL)
    again = api("post", CALLS, {**CALL, "salon_group_id": telephony.altegio_id})
    work()
    late = api("post", CALLS, CALL)
    work()
    assert (again.status_code, late.status_code, late.json()["state"]) == (200, 200, "saved")
    assert len(history(altegio)) == 1


def test_calls_without_an_id_are_different_calls_and_get_one(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    for _ in range(2):
        assert api("post", CALLS, {**CALL, "call_id": ""}).status_code == 202
    work()
    ids = {entry["call_id"] for entry in saved(altegio)}
    assert len(ids) == 2
    assert "" not in ids


def test_many_calls_after_an_outage_arrive_each_once(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    for number in range(30):
        api("post", CALLS, {**CALL, "call_id": f"pbx-{number}"})
    work()
    assert sorted(entry["call_id"] for entry in saved(altegio)) == sorted(f"pbx-{n}" for n in range(30))


@pytest.mark.parametrize(("fault", "times"), [("drop_before", 2), ("drop_after", 1), ("html_after", 1)])
def test_an_uncertain_call_is_asked_about_if_possible(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, fault: str, times: int
) -> None:
    UserToken.objects.create(
        location=Location.objects.get(altegio_id=10101), altegio_user_id=9001, token="emmas-user-token"
    )
    altegio.fault(fault, "voip", remaining=1)
    api("post", CALLS, CALL)
    work()
    assert len(history(altegio)) == times
    assert len(saved(altegio)) == 1
    assert altegio.requests("voip_calls")
    assert PhoneCall.objects.get().state == "saved"


@pytest.mark.parametrize("token", ["", "void"])
@pytest.mark.parametrize(("resends", "state", "times"), [(False, "failed", 1), (True, "saved", 2)])
def test_the_partners_setting_decides_when_altegio_cannot_be_asked(
    api: Api,
    altegio: Sandbox,
    telephony: Chain,
    work: Work,
    settings: Settings,
    token: str,
    resends: bool,
    state: str,
    times: int,
) -> None:
    """No source says that Altegio recognises a repeated call, so by default nothing is doubled."""
    settings.TELEPHONY_RESEND_UNCONFIRMED = resends
    if token:
        UserToken.objects.create(location=Location.objects.get(altegio_id=10101), altegio_user_id=9001, token=token)
        altegio.fault("error", "voip_calls", status=401)
    altegio.fault("drop_before", "voip", remaining=1)
    api("post", CALLS, CALL)
    work()
    call = PhoneCall.objects.get()
    assert (call.state, call.is_unconfirmed, len(history(altegio))) == (state, not resends, times)
    assert ("no answer" in call.error) is (not resends)


def test_an_unconfirmed_call_is_sent_once_more_and_not_for_ever(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, settings: Settings
) -> None:
    settings.TELEPHONY_RESEND_UNCONFIRMED = True
    altegio.fault("drop_before", "voip", remaining=9)
    api("post", CALLS, CALL)
    work()
    assert (PhoneCall.objects.get().state, len(history(altegio))) == ("failed", 2)


def test_a_call_without_a_connection_to_altegio_is_sent_later(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, settings: Settings
) -> None:
    """Nothing was sent, so nothing can be doubled: a nightly outage fails no call."""
    api("post", CALLS, CALL)
    settings.ALTEGIO_API_URL, there = "http://127.0.0.1:9", settings.ALTEGIO_API_URL
    OutgoingCall.objects.update(due_at=timezone.now())
    work(rounds=1)
    assert OutgoingCall.objects.get(kind="call_history").state == "queued"
    settings.ALTEGIO_API_URL = there
    work()
    assert len(saved(altegio)) == 1


@pytest.mark.parametrize("resends", [False, True])
def test_an_attempt_without_a_connection_leaves_nothing_unconfirmed(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, settings: Settings, resends: bool
) -> None:
    settings.TELEPHONY_RESEND_UNCONFIRMED = resends
    api("post", CALLS, CALL)
    settings.ALTEGIO_API_URL, there = "http://127.0.0.1:9", settings.ALTEGIO_API_URL
    for _ in range(2):
        OutgoingCall.objects.update(due_at=timezone.now())
        work(rounds=1)
    assert set(Attempt.objects.filter(call__kind="call_history").values_list("outcome", flat=True)) == {"not_sent"}
    settings.ALTEGIO_API_URL = there
    if resends:
        altegio.fault("drop_before", "voip", remaining=1)
        work()
        assert len(saved(altegio)) == 1, "the partner's one more time is still to come"
        return
    altegio.fault("error", "voip", status=422, remaining=1)
    work()
    refused = PhoneCall.objects.get()
    assert (refused.state, refused.is_unconfirmed) == ("failed", False)
    assert api("post", CALLS, CALL).status_code == 202
    work()
    assert len(saved(altegio)) == 1


def test_a_refused_call_is_kept_and_sent_again_by_staff(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    altegio.fault("error", "voip", status=404, remaining=1)
    api("post", CALLS, CALL)
    work()
    refused = PhoneCall.objects.get()
    assert (refused.state, saved(altegio)) == ("failed", [])

    assert send_again(refused.pk)
    work()

    assert len(saved(altegio)) == 1
    assert not send_again(refused.pk)


def test_an_internal_call_has_extensions(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    assert api("post", CALLS, {**CALL, "type": "internal", "phone": "101", "diversion": "102"}).status_code == 202
    assert api("post", CALLS, {**CALL, "phone": "101", "call_id": "pbx-2"}).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"type": "strange"},
        {"type": None},
        {"type": ["incoming"]},
        {"call_id": "x" * 201},
        {"call_id": ["x"]},
        {"phone": "nobody"},
        {"phone": ["+447700900123"]},
        {"phone": True},
        {"phone": "101"},
        {"diversion": ""},
        {"diversion": None},
        {"diversion": "a b"},
        {"diversion": "x" * 21},
    ],
)
def test_an_error_that_makes_a_call_meaningless_is_named(api: Api, telephony: Chain, change: dict[str, Any]) -> None:
    answer = api("post", CALLS, {**CALL, **change})
    assert answer.status_code == 400
    assert list(answer.json()) == list(change)
    assert not PhoneCall.objects.exists()


@pytest.mark.parametrize("missing", ["type", "phone", "diversion"])
def test_a_missing_field_is_no_hidden_caller(api: Api, telephony: Chain, missing: str) -> None:
    """An exchange that names the field otherwise would lose every call silently."""
    answer = api("post", CALLS, {name: value for name, value in CALL.items() if name != missing})
    assert (answer.status_code, list(answer.json())) == (400, [missing])


def test_a_wrong_type_names_the_right_ones(api: Api, telephony: Chain) -> None:
    assert "incoming, outgoing, internal" in api("post", CALLS, {**CALL, "type": "in"}).json()["type"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"link": "https://pbx.example.com/" + "x" * 1000},
        {"link": "http://pbx/rec/1.wav"},
        {"link": "/var/spool/asterisk/1.wav"},
        {"link": "javascript:alert(1)"},
        {"link": 5},
        {"duration": -1},
        {"duration": "long"},
        {"duration": 10**9},
        {"status": "lost"},
        {"status": 1},
        {"date": "yesterday"},
        {"date": "Tue, 24 Nov 99999999999 12:10:00 +0000"},
        {"link": "https://pbx.example.com/1\x7f.mp3"},
        {"user": "x" * 101},
        {"user": {"name": "anna"}},
    ],
)
def test_no_call_is_lost_for_its_decoration(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, change: dict[str, Any]
) -> None:
    (name,) = change
    answer = api("post", CALLS, {**CALL, **change})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert [warning["field"] for warning in answer.json()["warnings"]] == [name]
    work()
    (entry,) = saved(altegio)
    assert entry[name] != change[name]
    assert entry["phone"] == CALL["phone"]


@pytest.mark.parametrize(
    "phone", ["", None, "anonymous", "Restricted", "+266696687", "sip:anonymous@anonymous.invalid"]
)
def test_a_hidden_caller_is_stored_and_not_sent(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, phone: str | None
) -> None:
    answer = api("post", CALLS, {**CALL, "phone": phone})
    assert (answer.status_code, answer.json()["state"]) == (202, "kept")
    assert answer.json()["warnings"][0]["field"] == "phone"
    again = api("post", CALLS, {**CALL, "phone": phone})
    assert (again.status_code, again.json()["state"]) == (200, "kept")
    work()
    assert saved(altegio) == []
    assert PhoneCall.objects.get().diversion == CALL["diversion"]


@pytest.mark.parametrize(
    ("line", "extension"),
    [
        ("101", "101"),
        ("s", "s"),
        ("600", "600"),
        ("reception", "reception"),
        ("sip:101@pbx", "101"),
        ("SIP/101-0000a1b2", "101"),
    ],
)
def test_an_extension_is_a_line(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, line: str, extension: str
) -> None:
    assert api("post", CALLS, {**CALL, "diversion": line}).status_code == 202
    work()
    (entry,) = saved(altegio)
    assert entry["diversion"] == extension


@pytest.fixture
def maybe_there(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> PhoneCall:
    """Return a call that Altegio holds, whose answer was lost, and about which nobody could be asked."""
    altegio.fault("drop_after", "voip", remaining=1)
    api("post", CALLS, CALL)
    work()
    return PhoneCall.objects.get(state="failed")


def test_a_call_that_altegio_may_hold_is_asked_about_before_it_is_sent_by_hand(
    api: Api, altegio: Sandbox, work: Work, maybe_there: PhoneCall
) -> None:
    emmas_token()
    assert api("post", f"{CALLS}{maybe_there.pk}/retry/").status_code == 202
    work()
    assert (len(history(altegio)), PhoneCall.objects.get().state) == (1, "saved")


def test_a_call_that_altegio_may_hold_is_not_resent_when_the_exchange_repeats_it(
    api: Api, altegio: Sandbox, work: Work, maybe_there: PhoneCall
) -> None:
    again = api("post", CALLS, CALL)
    work()
    assert (again.status_code, again.json()["state"], len(history(altegio))) == (200, "failed", 1)

    assert api("post", f"{CALLS}{maybe_there.pk}/retry/").status_code == 202
    work()
    assert len(history(altegio)) == 2


def test_a_call_that_altegio_may_hold_is_asked_about_when_repeated(
    api: Api, altegio: Sandbox, work: Work, maybe_there: PhoneCall
) -> None:
    emmas_token()
    again = api("post", CALLS, CALL)
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    work()
    assert (len(history(altegio)), PhoneCall.objects.get().state) == (1, "saved")


def test_a_call_that_altegio_does_not_hold_is_sent_after_the_question(
    api: Api, altegio: Sandbox, work: Work, maybe_there: PhoneCall
) -> None:
    altegio.world.state.telephony.clear()
    emmas_token()
    api("post", CALLS, CALL)
    work()
    assert (len(saved(altegio)), PhoneCall.objects.get().state) == (1, "saved")


def test_a_correction_of_a_call_that_altegio_may_hold_is_sent(
    api: Api, altegio: Sandbox, work: Work, maybe_there: PhoneCall
) -> None:
    assert api("post", CALLS, {**CALL, "duration": 62}).status_code == 202
    work()
    assert (len(history(altegio)), PhoneCall.objects.get().duration) == (2, 62)


@pytest.mark.parametrize(
    ("name", "corrected"),
    [
        ("duration", 62),
        ("phone", "+447700900124"),
        ("date", "2026-03-09T12:00:00+01:00"),
        ("link", "https://pbx.example.com/2.mp3"),
    ],
)
def test_a_call_that_altegio_holds_stays_as_it_was_sent(
    api: Api, altegio: Sandbox, work: Work, maybe_there: PhoneCall, name: str, corrected: object
) -> None:
    emmas_token()
    assert api("post", CALLS, {**CALL, name: corrected}).status_code == 202
    work()
    call = PhoneCall.objects.get()
    assert (call.state, len(history(altegio)), len(saved(altegio))) == ("saved", 1, 1)
    assert getattr(call, name) == getattr(maybe_there, name)
    assert [warning["field"] for warning in call.warnings] == [name]
    again = api("post", CALLS, {**CALL, name: corrected})
    assert (again.status_code, name in again.json()["detail"]) == (409, True)


def test_a_stored_call_that_altegio_may_hold_is_asked_about(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, maybe_there: PhoneCall
) -> None:
    emmas_token()
    Chain.objects.update(telephony="off")
    assert api("post", CALLS, CALL).json()["state"] == "kept"
    Chain.objects.update(telephony="on")
    settle_kept()
    work()
    assert (len(history(altegio)), PhoneCall.objects.get().state) == (1, "saved")


def test_a_call_that_failed_by_our_own_fault_after_it_was_sent_may_be_there(
    api: Api, altegio: Sandbox, work: Work, maybe_there: PhoneCall
) -> None:
    CallHistory().refused(OutgoingCall.objects.get(kind="call_history"), OUR_FAILURE, no_answer(OUR_FAILURE))
    assert PhoneCall.objects.get().is_unconfirmed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user": "anna\x00"}, "user"),
        ({"link": "https://pbx.example.com/\ud83d"}, "link"),
        ({"status": "\x00"}, "status"),
        ({"date": "2026-\x00"}, "date"),
        ({"recording": "https://pbx.example.com/1.mp3"}, "recording"),
        ({"comment": {"\x00": ["\ud83d"]}}, "comment"),
        ({"\x00": 1}, "'\\x00'"),
    ],
)
def test_a_detail_that_cannot_be_sent_is_left_out_and_named(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, change: dict[str, Any], field: str
) -> None:
    answer = api("post", CALLS, {**CALL, **change})
    assert answer.status_code == 202
    assert [warning["field"] for warning in answer.json()["warnings"]] == [field]
    work()
    assert len(saved(altegio)) == 1


def test_calls_without_an_id_but_blanks_are_two(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    """An empty variable of an exchange is no id: otherwise all its calls but the first would be lost."""
    for number in ("+447700900123", "+447700900124"):
        assert api("post", CALLS, {**CALL, "call_id": "  ", "phone": number}).status_code == 202
    work()
    assert len(saved(altegio)) == 2


def test_an_empty_location_counts_as_none(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    assert api("post", CALLS, {**CALL, "salon_group_id": None}).status_code == 202
    assert api("post", CALLS, {**CALL, "call_id": "2", "salon_group_id": ""}).status_code == 202


@pytest.mark.parametrize("fault", ["delay", "gateway_timeout"])
@pytest.mark.parametrize("newer", [0, 30])
def test_a_call_that_altegio_still_processes_is_not_sent_twice(
    api: Api,
    altegio: Sandbox,
    telephony: Chain,
    work: Work,
    settings: Settings,
    time_machine: TimeMachineFixture,
    fault: str,
    newer: int,
) -> None:
    settings.ALTEGIO_TIMEOUT_SECONDS, settings.ALTEGIO_SETTLING_SECONDS = 0.3, 20
    UserToken.objects.create(location=Location.objects.get(altegio_id=10101), altegio_user_id=9001, token="emmas")
    altegio.configure(knows_call_ids=False)
    altegio.fault(fault, "voip", seconds=1.0)
    api("post", CALLS, CALL)
    OutgoingCall.objects.filter(kind="call_history").update(due_at=timezone.now())
    work(rounds=3)
    assert OutgoingCall.objects.get(kind="call_history").state == "unconfirmed"
    wait_for(lambda: saved(altegio), "it stands at Altegio")
    for number in range(newer):
        altegio.world.state.telephony.append({**altegio.telephony()[-1], "call_id": f"newer-{number}"})
    time_machine.move_to(timezone.now() + timedelta(seconds=21))
    work()
    assert (len(history(altegio)), PhoneCall.objects.get().state) == (1, "saved")


def test_a_call_missing_after_altegio_has_settled_is_sent_again(
    api: Api,
    altegio: Sandbox,
    telephony: Chain,
    work: Work,
    settings: Settings,
    time_machine: TimeMachineFixture,
) -> None:
    settings.ALTEGIO_SETTLING_SECONDS = 20
    UserToken.objects.create(location=Location.objects.get(altegio_id=10101), altegio_user_id=9001, token="emmas")
    altegio.fault("error", "voip", status=502)
    api("post", CALLS, CALL)
    work(rounds=3)
    assert len(history(altegio)) == 1
    time_machine.move_to(timezone.now() + timedelta(seconds=21))
    work()
    assert (len(saved(altegio)), PhoneCall.objects.get().state) == (1, "saved")


@pytest.mark.parametrize(("newer", "pages"), [(24, 1), (30, 2), (60, 3)])
def test_the_call_list_is_read_page_after_page(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, newer: int, pages: int
) -> None:
    UserToken.objects.create(location=Location.objects.get(altegio_id=10101), altegio_user_id=9001, token="emmas")
    altegio.configure(knows_call_ids=False)
    altegio.fault("drop_after", "voip", remaining=1)
    api("post", CALLS, CALL)
    OutgoingCall.objects.filter(kind="call_history").update(due_at=timezone.now())
    work(rounds=1)
    for number in range(newer):
        altegio.world.state.telephony.append({**altegio.telephony()[-1], "call_id": f"newer-{number}"})
    work()
    assert len(altegio.requests("voip_calls")) == pages
    assert PhoneCall.objects.get().state == "saved"
    assert sum(each["call_id"] == CALL["call_id"] for each in saved(altegio)) == 1


def test_outgoing_calls_about_phone_calls_are_deleted_with_them(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, settings: Settings
) -> None:
    """The outgoing call's parameters, bodies and answers hold the same numbers and recordings."""
    settings.RETENTION_PHONE_CALLS_DAYS, settings.RETENTION_CALLS_DAYS = 30, 180
    api("post", "telephony/notifications/", {name: CALL[name] for name in ("salon_id", "phone", "diversion")})
    api("post", CALLS, CALL)
    work()
    PhoneCall.objects.update(received_at=timezone.now() - timedelta(days=31))
    OutgoingCall.objects.update(finished_at=timezone.now() - timedelta(days=31))
    others = OutgoingCall.objects.exclude(kind__in=["call_history", "call_notification"]).count()
    delete_old()
    assert OutgoingCall.objects.count() == others > 0
    kept = [*OutgoingCall.objects.values_list("params"), *Attempt.objects.values_list("url", "request_body")]
    assert not [text for text in ("447700900123", "pbx.example.com") if text in str(kept)]
