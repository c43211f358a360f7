"""Calls of a chain with its telephony off are kept back, because Altegio would answer 202 and ignore them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from time_machine import TimeMachineFixture

from integrations.connections.models import Chain
from integrations.telephony.chains import switch_on_again
from integrations.telephony.models import PhoneCall
from integrations.telephony.switched_off import settle_kept
from sandbox import Sandbox
from tests.integrations.telephony.calling import CALL, CALLS, ring, saved
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def off(telephony: Chain) -> Chain:
    """Return a chain whose switch was refused."""
    Chain.objects.update(telephony="failed", telephony_error="Not today.")
    return telephony


@pytest.mark.parametrize("state", ["off", "failed", "disabling"])
@pytest.mark.leaves_stranded
def test_a_call_to_switched_off_telephony_is_a_conflict_and_not_sent(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, state: str
) -> None:
    Chain.objects.update(telephony=state, telephony_error="Not today.")
    for _ in range(2):
        answer = api("post", CALLS, CALL)
        assert (answer.status_code, answer.json()["state"]) == (409, "kept")
    assert ("Not today." in answer.json()["detail"]) is (state == "failed")
    assert ring(api, salon_id=10101) == 409
    assert saved(altegio) == []


def test_a_waiting_call_is_sent_when_the_telephony_is_on_again(
    api: Api, altegio: Sandbox, off: Chain, work: Work
) -> None:
    api("post", CALLS, CALL)
    api("post", CALLS, {**CALL, "call_id": "2", "phone": "anonymous"})
    assert switch_on_again(off.pk)
    work()
    assert [entry["call_id"] for entry in saved(altegio)] == ["pbx-1"]
    assert PhoneCall.objects.get(call_id="2").state == "kept"


def test_a_call_at_the_moment_of_the_switch_is_sent_within_a_minute(
    api: Api, altegio: Sandbox, off: Chain, work: Work
) -> None:
    api("post", CALLS, CALL)
    Chain.objects.update(telephony="on")
    settle_kept()
    work()
    assert len(saved(altegio)) == 1


def test_a_call_during_the_switching_on_needs_no_action(api: Api, altegio: Sandbox, off: Chain, work: Work) -> None:
    switch_on_again(off.pk)
    assert api("post", CALLS, CALL).status_code == 202
    work()
    assert len(saved(altegio)) == 1


@pytest.mark.leaves_stranded  # the owner's letters of a day ago
def test_a_waiting_call_fails_after_a_day_and_can_be_sent_again(
    api: Api, altegio: Sandbox, off: Chain, work: Work, time_machine: TimeMachineFixture
) -> None:
    api("post", CALLS, CALL)
    time_machine.move_to(timezone.now() + timedelta(days=1, seconds=1))
    settle_kept()
    call = PhoneCall.objects.get()
    assert (call.state, "off for a day" in call.error) == ("failed", True)
    switch_on_again(off.pk)
    assert api("post", f"{CALLS}{call.pk}/retry/").status_code == 202
    work()
    assert len(saved(altegio)) == 1
