"""When two systems act at once, the database's constraints decide, and nobody sees an error."""

import json
import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.erasure import erase_person
from accounts.models import User
from integrations.alerts.models import Alert
from integrations.altegio.answers import no_answer
from integrations.chat.models import ChatPanel
from integrations.chat.panels import InstallPanel, set_panel
from integrations.connections.models import Application, Chain, Connection, Location, State
from integrations.connections.transitions import lock, move
from integrations.messaging import ingest
from integrations.messaging.call_kinds import RelayStatuses
from integrations.messaging.ingest import take_statuses
from integrations.messaging.models import MessageStatus, StatusBatch
from integrations.messaging.parsing import read_statuses
from integrations.messaging.retold import take_retold
from integrations.outbox.models import OutgoingCall
from integrations.outbox.signals import call_ended
from integrations.partner_events import types
from integrations.partner_events.models import NamedPerson, PartnerEvent
from integrations.partner_events.named_people import altegio_user
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.runs import finish_if_done
from integrations.telephony.intake import take_calls
from integrations.telephony.models import PhoneCall
from tests.concurrency import at_once, cross

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_call_id_from_two_systems_is_one_call() -> None:
    chain, now = Chain.objects.create(altegio_id=501, crm_token="crm", telephony="on"), timezone.now()
    Connection.objects.create(
        application=Application.objects.create(altegio_id=2),
        location=Location.objects.create(altegio_id=10101, chain=chain),
        **dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at", "activated_at"), now),
        state="active",
    )
    call = {"type": "incoming", "phone": "+447700900123", "diversion": "+442071838750"}
    payload = {**call, "salon_group_id": 501, "call_id": "pbx-1"}
    results = at_once(*[lambda: take_calls([payload])[0].verdict.value] * 4)
    assert sorted(results) == ["known", "known", "known", "taken"]
    assert PhoneCall.objects.count() == OutgoingCall.objects.count() == 1


def test_the_same_statuses_in_another_order_are_stored_once() -> None:
    items = [{"id": f"m{number}", "status": 4} for number in range(300)]
    results = at_once(
        lambda: take_statuses(read_statuses(items)[0]),
        lambda: take_statuses(read_statuses(items[::-1])[0]),
        lambda: take_statuses(read_statuses(items)[0]),
    )
    assert sorted(results) == [0, 0, 300]
    assert MessageStatus.objects.count() == 300
    assert StatusBatch.objects.get().size == 300
    assert OutgoingCall.objects.filter(state="queued").count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time.")
def test_a_corrected_price_waits_for_the_answer_to_what_it_corrects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both want the batch and the next call of the address, and must not deadlock."""
    price = {"payment_sum": 1, "currency_iso": "EUR", "parts_amount": 1}
    take_statuses(read_statuses([{"id": "m1", "status": 1, **price}])[0])
    (call,) = OutgoingCall.objects.all()
    StatusBatch.objects.update(call=call)
    OutgoingCall.objects.update(state="sending")
    take_statuses(read_statuses([{"id": "m2", "status": 4}])[0])
    answered, corrected = threading.Event(), threading.Event()

    def note_answer() -> None:
        with transaction.atomic():
            OutgoingCall.objects.filter(pk=call.pk).update(state="done")
            StatusBatch.objects.filter(call=call).update(state="sent")
            answered.set()
            corrected.wait(10)
            RelayStatuses().accepted(call, no_answer(""))

    def take(rows: Any) -> Any:
        corrected.set()
        return take_retold(rows)

    def correct() -> int:
        answered.wait(10)
        return take_statuses(
            read_statuses([{"id": "m1", "status": 1, **price, "payment_sum": 2}, {"id": "m3", "status": 4}])[0]
        )

    monkeypatch.setattr(ingest, "take_retold", take)
    assert {str(result) for result in at_once(note_answer, correct)} == {"None", "2"}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time.")
def test_one_of_two_last_answers_ends_the_reconciliation() -> None:
    run = Reconciliation.objects.create(trigger=Reconciliation.Trigger.NIGHTLY, lists_left=0, expected=2)
    application = Application.objects.create(altegio_id=1)
    both_settled = threading.Barrier(2, timeout=10)
    questions = [
        Finding.objects.create(run=run, application=application, kind=Finding.Kind.MISSING, salon_id=number)
        for number in (1, 2)
    ]

    def settle(question: Any) -> None:
        with transaction.atomic():
            Finding.objects.filter(pk=question.pk).update(settled_at=timezone.now())
            both_settled.wait()
            finish_if_done(run.pk)

    assert at_once(*[partial(settle, question) for question in questions]) == [None, None]
    run.refresh_from_db()
    assert run.state == Reconciliation.State.DONE


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time.")
def test_two_people_erased_from_one_event_at_once_both_stay_erased() -> None:
    anna, emma = (User.objects.create_user(f"{name}@owner.example") for name in ("anna", "emma"))
    for number, user in enumerate([anna, emma]):
        user.identities.create(altegio_user_id=number)
    shown = {"owner_id": None, "location": {"people": [{"altegio_user_id": number} for number in range(2)]}}
    event = PartnerEvent.objects.create(
        type=types.CONNECTION_CHANGED,
        application=Application.objects.create(altegio_id=1),
        body=json.dumps({"data": {"connection": shown}}),
    )
    NamedPerson.objects.bulk_create(NamedPerson(event=event, person=altegio_user(number)) for number in range(2))

    cross(partial(erase_person, emma), first=partial(erase_person, anna), then=lambda: None)

    event.refresh_from_db()
    assert json.loads(event.body)["data"]["connection"]["location"]["people"] == []


def connection_in(state: State) -> Connection:
    return Connection.objects.create(
        application=Application.objects.create(altegio_id=2),
        location=Location.objects.create(altegio_id=10101),
        **dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at", "activated_at"), timezone.now()),
        state=state,
    )


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time.")
def test_what_is_set_for_the_first_time_while_the_activation_ends_is_sent() -> None:
    """The activation tells the rows that it finds, and the new one cannot be seen yet."""
    granted = connection_in(State.GRANTED)

    def activate() -> None:
        move(lock(granted.pk), State.ACTIVE, "Altegio accepted the activation.")

    cross(lambda: set_panel(granted, "https://chat.example.com/panel"), first=activate, then=lambda: None)
    assert OutgoingCall.objects.filter(kind=InstallPanel.name).count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time.")
def test_a_refusal_noted_while_the_connection_ends_leaves_no_alert_open() -> None:
    connected = connection_in(State.ACTIVE)
    set_panel(connected, "https://chat.example.com/panel")
    call = OutgoingCall.objects.get()
    OutgoingCall.objects.update(state="sending")

    def note_refusal() -> None:
        with transaction.atomic():
            OutgoingCall.objects.update(state="refused")
            call.state = "refused"
            call_ended.send(sender=OutgoingCall, call=call, reason="No.")
            InstallPanel().refused(call, "No.", no_answer("No."))

    def end() -> None:
        move(lock(connected.pk), State.UNINSTALLED, "The owner disconnects.", ended_at=timezone.now())

    cross(note_refusal, first=end, then=lambda: None)
    assert ChatPanel.objects.get().sync_error == "This location is not connected."
    assert not Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()
