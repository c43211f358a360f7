"""The last switch of a chain's telephony counts, whatever is still under way."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.altegio.answers import Answer, Outcome
from integrations.connections.models import Chain, Connection
from integrations.lifecycle.on_uninstall import end_telephony
from integrations.outbox.models import OutgoingCall
from integrations.telephony.call_kinds import SwitchTelephony, switch_telephony
from integrations.telephony.chains import switch_on_again
from sandbox import Sandbox
from tests.integrations.telephony.calling import switches
from tests.marketplace import follow
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_the_answer_to_an_overtaken_switch_does_not_hide_the_newer_one(altegio: Sandbox, telephony: Chain) -> None:
    """The owner disconnects while the portal switches on, and returns before it switches off."""
    first = OutgoingCall.objects.get(kind=SwitchTelephony.name)
    switch_telephony(telephony, on=False)
    SwitchTelephony().accepted(first, Answer(Outcome.ACCEPTED))
    telephony.refresh_from_db()
    assert telephony.telephony == "disabling"


def test_an_overtaken_switch_that_is_refused_fails_nothing(altegio: Sandbox, telephony: Chain) -> None:
    first = OutgoingCall.objects.get(kind=SwitchTelephony.name)
    switch_telephony(telephony, on=False)
    SwitchTelephony().refused(first, "no", Answer(Outcome.REFUSED))
    telephony.refresh_from_db()
    assert (telephony.telephony, telephony.telephony_error) == ("disabling", "")


def test_a_switch_rests_as_long_as_the_one_that_it_overtakes(altegio: Sandbox, telephony: Chain) -> None:
    """Altegio may still process the switch that it did not answer."""
    switch_telephony(telephony, on=False)
    until = timezone.now() + timedelta(seconds=20)
    OutgoingCall.objects.filter(state="queued").update(due_at=until)
    switch_telephony(telephony, on=True)
    assert OutgoingCall.objects.get(state="queued").due_at == until


def test_an_owner_who_presses_connect_again_has_a_failed_switch_tried_again(
    client: Client, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    Chain.objects.update(telephony="failed")
    follow(client, altegio, 10101, application_id=2)
    work()
    telephony.refresh_from_db()
    assert (telephony.telephony, switches(altegio)) == ("on", ["enable", "enable"])


def test_a_failed_switch_may_have_been_made_so_the_end_switches_it_off(
    altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    Chain.objects.update(telephony="failed")
    connection = Connection.objects.get()
    Connection.objects.update(state="uninstalled", ended_at="2026-02-03T12:00:00Z")
    end_telephony(connection)
    work()
    telephony.refresh_from_db()
    assert (telephony.telephony, switches(altegio)) == ("off", ["enable", "disable"])
    assert not switch_on_again(telephony.pk)
