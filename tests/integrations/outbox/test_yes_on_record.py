"""A worker that dies after Altegio's acceptance is recorded, before its effect, loses and repeats nothing."""

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.messaging.models import StatusBatch
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.disconnect import disconnect
from sandbox import Sandbox
from tests.integrations.interrupting import killed_after_altegios_yes
from tests.integrations.messaging.reporting import STATUSES, status
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db


def work_on(work: Work) -> None:
    """Let another worker go on when the killed worker's lease is over."""
    OutgoingCall.objects.filter(state="sending").update(lease_until=timezone.now())
    work()


def test_an_idempotent_call_with_a_recorded_acceptance_is_not_repeated(
    api: Api, altegio: Sandbox, work: Work
) -> None:
    api("post", STATUSES, [status("m1", 4)])
    with killed_after_altegios_yes():
        work()
    assert StatusBatch.objects.get().state == "waiting"
    work_on(work)
    assert StatusBatch.objects.get().state == "sent"
    assert len(altegio.requests("sms_statuses")) == 1


def test_a_conclusive_acceptance_asks_no_question(altegio: Sandbox, connected: Connection, work: Work) -> None:
    disconnect(connected.pk, by=None, why="The owner disconnects.")
    with killed_after_altegios_yes():
        work(rounds=1)
    asked = len(altegio.requests("status"))
    work_on(work)
    connected.refresh_from_db()
    assert (connected.state, connected.reason) == ("uninstalled", "The owner disconnects.")
    assert len(altegio.requests("uninstall")) == 1
    assert altegio.requests("status")[asked:] == []
