"""A switch at the moment when the sweep ends the chain's expired one works, and neither fails."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.connections.models import Chain
from integrations.outbox.models import OutgoingCall
from integrations.outbox.sweep import expire_late_calls
from integrations.telephony.call_kinds import SwitchTelephony, switch_telephony
from partner_portal.core.models import FailedItem
from tests.concurrency import at_once, wait_for_the_other

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone."),
]


def test_a_switch_overtakes_one_that_the_sweep_ends() -> None:
    chain = Chain.objects.create(altegio_id=501, crm_token="crm")
    switch_telephony(chain, on=True)
    OutgoingCall.objects.update(deadline_at=timezone.now())
    chain_is_held = threading.Event()

    @transaction.atomic
    def switch_off() -> None:
        held = Chain.objects.select_for_update(no_key=True).get(pk=chain.pk)
        chain_is_held.set()
        wait_for_the_other()
        switch_telephony(held, on=False)

    def sweep() -> int:
        assert chain_is_held.wait(20)
        return expire_late_calls()

    assert set(at_once(switch_off, sweep)) == {None, 0}
    assert not FailedItem.objects.exists()
    calls = OutgoingCall.objects.filter(kind=SwitchTelephony.name).order_by("pk")
    assert [(call.params["on"], call.state) for call in calls] == [(True, "cancelled"), (False, "queued")]
