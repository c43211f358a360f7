"""The moment of a call is read as exchanges write it, left out with an explanation if impossible,
and stops no call.
"""

import pytest

from integrations.connections.models import Chain
from integrations.telephony.models import PhoneCall
from sandbox import Sandbox
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db
CALL = {"salon_id": 10101, "type": "incoming", "phone": "+447700900123", "diversion": "+442071838750"}


@pytest.mark.parametrize(
    "date",
    [
        "9999-12-31",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01",
        "0001-01-01T00:00:00+14:00",
        "2026-01-01T12:00:00+01:16:20",
        "2200-01-01",
        "1969-12-31T12:00:00Z",
        "0000-00-00 00:00:00",
    ],
)
def test_an_impossible_moment_is_left_out_and_the_call_is_sent(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, date: str
) -> None:
    answer = api("post", "telephony/calls/", {**CALL, "date": date})
    assert answer.status_code == 202
    assert [warning["field"] for warning in answer.json()["warnings"]] == ["date"]
    work()
    saved = PhoneCall.objects.get()
    assert (saved.state, saved.date) == ("saved", None)


@pytest.mark.parametrize("date", ["1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "2026-03-01"])
def test_a_moment_at_the_edge_reaches_altegio(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, date: str
) -> None:
    assert api("post", "telephony/calls/", {**CALL, "date": date}).status_code == 202
    work()
    assert PhoneCall.objects.get().state == "saved"
