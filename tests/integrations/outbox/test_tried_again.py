"""A dead letter of the outbox that staff retry goes out once and undoes nothing newer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import Role
from integrations.alerts.models import Alert
from integrations.altegio import requests
from integrations.chat.chat_signals import NewMessage
from integrations.chat.models import ChatSignal
from integrations.connections.models import Chain, Connection
from integrations.messaging.call_kinds import RelayStatuses
from integrations.messaging.models import StatusBatch
from integrations.outbox import executor
from integrations.outbox.call_kinds import CallKind
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.disconnect import Uninstall, disconnect
from integrations.telephony.call_kinds import SwitchTelephony, switch_telephony
from integrations.telephony.models import PhoneCall
from integrations.telephony.phone_calls import CallHistory
from partner_portal.core.models import FailedItem
from sandbox import Sandbox
from tests.integrations.telephony.calling import CALL, CALLS, emmas_token, history, switches
from tests.response import Api
from tests.staff import member
from tests.working import Work

pytestmark = pytest.mark.django_db


@contextmanager
def failing(request: str) -> Iterator[None]:
    """Make the portal fail to send this request; the first failure ends its call."""

    def fail(*_: object, **_named: object) -> None:
        raise RuntimeError("a fault of ours")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor, "FAILING", replace(executor.FAILING, max_failures=1))
        patch.setattr(requests, request, fail)
        yield


def try_again(kind: type[CallKind]) -> int:
    dead = OutgoingCall.objects.filter(kind=kind.name, state="refused")
    return executor.FAILING.try_again(list(dead.values_list("pk", flat=True)))


@pytest.fixture
def given_up(api: Api, telephony: Chain, work: Work) -> PhoneCall:
    """Return a phone call that the portal has failed to report to Altegio; its call is a dead letter."""
    emmas_token()
    with failing("phone_call"):
        api("post", CALLS, CALL)
        work()
    return PhoneCall.objects.get()


def test_a_phone_call_waits_again_so_that_nothing_else_sends_it(
    api: Api, altegio: Sandbox, given_up: PhoneCall, work: Work
) -> None:
    assert given_up.state == "failed"
    assert try_again(CallHistory) == 1
    saved = PhoneCall.objects.get()
    assert (saved.state, saved.error) == ("queued", "")
    assert api("post", f"{CALLS}{saved.pk}/retry/").status_code == 409
    work()
    assert (len(history(altegio)), PhoneCall.objects.get().state) == (1, "saved")
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_a_phone_call_sent_anew_is_not_sent_by_its_earlier_call_too(
    api: Api, altegio: Sandbox, given_up: PhoneCall, work: Work
) -> None:
    api("post", CALLS, {**CALL, "duration": 62})
    assert try_again(CallHistory) == 0
    work()
    assert len(history(altegio)) == 1


def test_a_switch_is_tried_again_and_never_after_a_newer_one(altegio: Sandbox, telephony: Chain, work: Work) -> None:
    with failing("telephony"):
        switch_telephony(telephony, on=False)
        work()
    telephony.refresh_from_db()
    assert telephony.telephony == "failed"
    assert try_again(SwitchTelephony) == 1
    telephony.refresh_from_db()
    assert telephony.telephony == "disabling"
    work()
    telephony.refresh_from_db()
    assert telephony.telephony == "off"

    with failing("telephony"):
        switch_telephony(telephony, on=False)
        work()
    switch_telephony(telephony, on=True)
    work()
    assert try_again(SwitchTelephony) == 0
    work()
    assert switches(altegio)[-1] == "enable"


def test_a_status_is_relayed(api: Api, altegio: Sandbox, work: Work) -> None:
    with failing("message_statuses"):
        api("post", "sms/statuses/", [{"id": "m1", "status": 4}])
        work()
    assert StatusBatch.objects.get().state == "refused"
    assert try_again(RelayStatuses) == 1
    work()
    assert [item["id"] for item in altegio.sms_statuses()] == ["m1"]


def test_a_chat_message_whose_text_is_gone_is_not_sent_empty(connected: Connection, work: Work) -> None:
    call = OutgoingCall(kind="chat_message", key="chat:1", priority=10, state="refused", connection=connected)
    signal = ChatSignal.objects.create(connection=connected, kind="new_message", state="failed")
    call.params = {"signal": signal.pk}
    call.save()
    assert try_again(NewMessage) == 0


def test_a_disconnection_requested_again_is_not_sent_twice(
    connected: Connection, altegio: Sandbox, work: Work
) -> None:
    with failing("uninstall"):
        disconnect(connected.pk, by=None, why="over")
        work()
    disconnect(connected.pk, by=None, why="over")
    assert try_again(Uninstall) == 0
    work()
    assert len(altegio.requests("uninstall")) == 1


def test_staff_read_how_many_are_on_their_way(
    api: Api, altegio: Sandbox, telephony: Chain, work: Work, client: Client
) -> None:
    with failing("phone_call"):
        api("post", CALLS, CALL)
        work()
    api("post", CALLS, {**CALL, "duration": 62})
    client.force_login(member(Role.SUPPORT))
    form: dict[str, Any] = {"action": "again", "_selected_action": FailedItem.objects.get().pk, "confirmed": "yes"}
    page = client.post(reverse("admin:core_faileditem_changelist"), form, follow=True).content.decode()
    assert "Of 1, 0 are on their way again" in page
