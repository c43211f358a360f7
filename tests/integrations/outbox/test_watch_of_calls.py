"""The watch finds calls that nobody would take up, and leaves others alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.outbox.models import CallState, OutgoingCall
from integrations.outbox.queue import new_call, queue
from integrations.outbox.watch import _stuck, _take_back
from integrations.status_sync.status_sync import AskStatus

pytestmark = [pytest.mark.django_db, pytest.mark.leaves_stranded("planted")]


def call(**fields: Any) -> OutgoingCall:
    """Make a call with these columns; moments are given in minutes from now."""
    queue([new_call(AskStatus, "a")])
    moments = {
        name: timezone.now() + timedelta(minutes=value) if isinstance(value, int) else value
        for name, value in fields.items()
    }
    OutgoingCall.objects.update(**moments)
    return OutgoingCall.objects.get()


@pytest.mark.parametrize("lease_until", [None, -2])
def test_a_call_without_a_worker_is_asked_about_at_once(lease_until: int | None) -> None:
    stuck = call(state="sending", lease_until=lease_until, due_at=60)
    assert list(_stuck(timezone.now())) == [stuck]
    _take_back(stuck)
    stuck.refresh_from_db()
    assert (stuck.state, stuck.lease, stuck.lease_until) == (CallState.UNCONFIRMED, None, None)
    assert stuck.due_at <= timezone.now()


@pytest.mark.parametrize("state", ["queued", "unconfirmed"])
def test_a_call_that_would_rest_for_days_is_due_at_once(state: str) -> None:
    stuck = call(state=state, due_at=25 * 60)
    assert list(_stuck(timezone.now())) == [stuck]
    _take_back(stuck)
    stuck.refresh_from_db()
    assert (stuck.state, stuck.due_at <= timezone.now()) == (state, True)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "sending", "lease_until": 1},
        {"state": "sending", "lease_until": 0},
        {"state": "queued", "due_at": 23 * 60},
        {"state": "held", "due_at": 25 * 60},
        {"state": "done", "due_at": 25 * 60},
    ],
)
def test_a_call_that_is_being_handled_is_left_alone(fields: dict[str, Any]) -> None:
    call(**fields)
    assert not _stuck(timezone.now()).exists()
