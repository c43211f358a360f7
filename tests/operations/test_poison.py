"""One bad item in each queue: everybody else goes on, and the bad one ends where staff see it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from accounts import notifications
from accounts.models import OutgoingEmail, User
from accounts.notifications import send_digests
from billing import subscriptions
from integrations.activation.call_kinds import Activate
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection, Installation
from integrations.lifecycle import processing
from integrations.lifecycle.handlers import CALLBACK_HANDLERS, register_callback_handler
from integrations.lifecycle.models import Callback
from integrations.messaging import volumes
from integrations.messaging.models import CallbackAddress, DailyVolume, MessageStatus, StatusBatch
from integrations.outbox import tasks
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import UNFINISHED, CallState, OutgoingCall
from integrations.outbox.sweep import EXPIRY, expire_late_calls
from integrations.partner_events.fan_out import fan_out as place_partner_events
from integrations.reconciliation import unconfirmed
from integrations.sender_names import names as sender_names
from integrations.sender_names.call_kinds import SendSenderNames
from integrations.sender_names.models import NameState, SenderName, SenderNameList
from integrations.webhooks.consumers import CONSUMERS
from integrations.webhooks.deliver import deliver_due
from integrations.webhooks.endpoint import digest_of
from integrations.webhooks.fan_out import WAITING, fan_out
from integrations.webhooks.models import Delivery, Event
from partner_portal.core.models import FailedItem
from sandbox import Sandbox
from tests.admin_urls import admin_url
from tests.entity_events import GOOD, post_event
from tests.marketplace import AURORA_1, AURORA_2, arrive

pytestmark = pytest.mark.django_db
DEEP = '{"company_id": 10101, "data": ' + "[" * 20_000 + "]" * 20_000 + "}"


def failed() -> list[str]:
    return list(FailedItem.objects.order_by("queue").values_list("queue", flat=True))


def fails_for(original: Any, *bad: Any) -> Callable[..., Any]:
    """`original`, but for the given first arguments (or their keys)."""

    def maybe(first: Any, *args: Any, **options: Any) -> Any:
        if first in bad or getattr(first, "pk", None) in bad:
            raise ValueError("poison")
        return original(first, *args, **options)

    return maybe


@pytest.fixture
def two_connections(client: Client, altegio: Sandbox, work: Callable[..., None]) -> list[Connection]:
    for location in (AURORA_1, AURORA_2):
        arrive(client, altegio, location)
    work()
    return list(Connection.objects.order_by("pk"))


def store_deep_event(keys: Installation) -> Event:
    """As one that came when no door looked at its depth."""
    return Event.objects.create(installation=keys, body=DEEP, digest=digest_of(keys.pk, DEEP.encode()))


def test_an_event_too_deep_to_read_stops_no_other(
    client: Client, keys: Installation, monkeypatch: pytest.MonkeyPatch, time_machine: TimeMachineFixture
) -> None:
    got: list[int] = []
    monkeypatch.setattr(CONSUMERS, "_entries", {})
    CONSUMERS.register("mine", lambda events: got.extend(event.id for event in events))
    deep = store_deep_event(keys)
    for number in range(5):
        post_event(client, keys, GOOD | {"resource_id": number})
    fan_out()
    deliver_due()
    assert len(got) == 5

    for _ in range(WAITING.max_failures):
        fan_out()
        time_machine.move_to(timezone.now() + timedelta(hours=2))
    assert FailedItem.objects.get(queue="events").item == deep.pk
    assert Alert.objects.get().key == "dead:events"
    post_event(client, keys, GOOD)
    assert fan_out() == 1
    place_partner_events()


def test_an_event_too_deep_to_give_stops_no_other(keys: Installation) -> None:
    """The one event that cannot be read is delivered in a batch of its own."""
    deep = store_deep_event(keys)
    good = Event.objects.create(installation=keys, body="{}", digest="g")
    Delivery.objects.create(target="log", application=keys.application, event_ids=[good.pk, deep.pk], count=2)
    deliver_due()
    assert {tuple(row.event_ids) for row in Delivery.objects.all()} == {(good.pk,), (deep.pk,)}


def test_a_callback_that_cannot_be_processed_stops_no_other(
    two_connections: list[Connection], monkeypatch: pytest.MonkeyPatch, time_machine: TimeMachineFixture
) -> None:
    monkeypatch.setattr(CALLBACK_HANDLERS, "_entries", {})

    def handle(body: Any, _connection: Any) -> None:
        if body["salon_id"] == str(AURORA_1):
            raise RecursionError

    register_callback_handler("freeze", handle)
    bad, good = (
        Callback.objects.create(
            event="freeze", salon_id=salon, application_altegio_id=1, body=f'{{"salon_id": {salon}}}'
        )
        for salon in (AURORA_1, AURORA_2)
    )
    for _ in range(processing.WAITING.max_failures):
        processing.process_waiting()
        time_machine.move_to(timezone.now() + timedelta(hours=2))
    assert Callback.objects.get(pk=good.pk).state == "asked"
    assert Callback.objects.get(pk=bad.pk).state == "failed"
    assert Alert.objects.filter(key="dead:callbacks").exists()


@pytest.mark.leaves_stranded("the claim whose end failed waits for the watch")
def test_a_call_whose_end_fails_stops_no_other(
    client: Client,
    altegio: Sandbox,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    time_machine: TimeMachineFixture,
) -> None:
    for location in (AURORA_1, AURORA_2):
        arrive(client, altegio, location)
    bad, good = OutgoingCall.objects.filter(kind="activate").order_by("pk")
    expired = Activate.expired

    def fail(kind: Any, call: Any, now: Any) -> None:
        if call.pk == bad.pk:
            raise ValueError("poison")
        expired(kind, call, now)

    monkeypatch.setattr(Activate, "expired", fail)
    time_machine.move_to(timezone.now() + timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW + 1))
    expire_late_calls()
    assert OutgoingCall.objects.get(pk=good.pk).state == CallState.EXPIRED
    for _ in range(EXPIRY.max_failures):
        time_machine.move_to(timezone.now() + timedelta(hours=2))
        expire_late_calls()
    assert OutgoingCall.objects.get(pk=bad.pk).state == CallState.EXPIRED, "it holds up its lane no longer"
    assert failed() == ["expiry of calls"]


def carry_all(time_machine: TimeMachineFixture, rounds: int) -> None:
    for _ in range(rounds):
        OutgoingCall.objects.filter(state__in=UNFINISHED).update(due_at=timezone.now())
        dispatch_due()
        time_machine.move_to(timezone.now() + timedelta(hours=2))


@pytest.mark.leaves_stranded("days pass without a round of news")
def test_a_call_that_cannot_be_built_ends_and_frees_its_lane(
    two_connections: list[Connection],
    altegio: Sandbox,
    work: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    time_machine: TimeMachineFixture,
) -> None:
    bad = two_connections[0]
    for connection in two_connections:
        sender_names.replace_names(connection, ["Aurora"])
    request = SendSenderNames.request
    monkeypatch.setattr(
        SendSenderNames,
        "request",
        lambda self, call: _raise() if call.connection_id == bad.pk else request(self, call),
    )
    carry_all(time_machine, 25)
    states = dict(SenderNameList.objects.values_list("installation__location__altegio_id", "sync_state"))
    assert states == {AURORA_1: "failed", AURORA_2: "synced"}
    assert not OutgoingCall.objects.filter(ordering_key=bad.ordering_key, state__in=UNFINISHED).exists()
    assert failed() == ["calls"]
    assert {"dead", "call"} <= set(Alert.objects.filter(cleared_at=None).values_list("kind", flat=True))


def _raise() -> None:
    raise OverflowError("date value out of range")


@pytest.mark.leaves_stranded("days pass without a round of news")
def test_a_call_of_a_kind_that_no_code_has_any_more_ends(
    two_connections: list[Connection], time_machine: TimeMachineFixture
) -> None:
    OutgoingCall.objects.create(kind="forgotten", key="forgotten", priority=10)
    carry_all(time_machine, 25)
    assert OutgoingCall.objects.get(kind="forgotten").state == CallState.REFUSED


class Greeting(notifications.NotificationKind):
    name = "disconnected"

    def still_true(self, person: User, coalesce_keys: Sequence[int]) -> list[int]:
        if person.email == "bad@example.com":
            raise RecursionError
        return list(coalesce_keys)


def test_news_that_cannot_be_written_stop_no_other_email(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications.NOTIFICATION_KINDS, "_entries", {})
    notifications.register_notification(Greeting)
    for name in ("bad", "good"):
        notifications.notify(Greeting, User.objects.create_user(f"{name}@example.com"), 1, key=name)
    send_digests(timezone.now() + timedelta(minutes=5))
    assert list(OutgoingEmail.objects.values_list("to", flat=True)) == ["good@example.com"]
    assert failed() == ["notifications"]


def test_a_batch_that_cannot_be_counted_stops_no_other(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    address = CallbackAddress.objects.create(host="app", path="/smsprovider/x")
    for number, cost in enumerate((1, 10**11, 2)):
        batch = StatusBatch.objects.create(address=address, size=1, state="sent")
        MessageStatus.objects.create(batch=batch, address=address, message_id=number, status=1, payment_sum=cost)
    add = volumes._add
    monkeypatch.setattr(volumes, "_add", lambda kind: _raise() if kind["cost"] > 10**10 else add(kind))
    volumes.count_volumes()
    assert DailyVolume.objects.get().cost == 3
    assert failed() == ["volumes"]


def test_a_list_of_sender_names_that_fails_stops_no_other(
    two_connections: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = [sender_names.replace_names(connection, ["Aurora", "Other"]) for connection in two_connections]
    SenderName.objects.filter(name="Other").update(valid_until=timezone.now() - timedelta(minutes=1))
    monkeypatch.setattr(sender_names, "tell", fails_for(sender_names.tell, lists[0].pk))
    sender_names.withdraw_run_out()
    ended = SenderName.objects.filter(state=NameState.RAN_OUT)
    assert [name.list for name in ended] == [lists[1]]
    assert failed() == ["sender names"]


def test_tariffs_of_one_application_stop_no_others(
    two_connections: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = two_connections[0].application
    second = Application.objects.create(altegio_id=7)
    Connection.objects.filter(pk=two_connections[1].pk).update(application=second)
    asked: list[Application] = []
    monkeypatch.setattr(subscriptions, "fetch_tariffs", fails_for(asked.append, first.pk))
    subscriptions.refresh_tariffs()
    assert asked == [second]


def test_one_doubt_stops_no_other(two_connections: list[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Connection] = []
    monkeypatch.setattr(unconfirmed.UNCONFIRMED_SOURCES, "_entries", {})
    unconfirmed.UNCONFIRMED_SOURCES.register("all", Connection.objects.all)
    monkeypatch.setattr(
        unconfirmed,
        "ask_status",
        fails_for(lambda connection, patient: asked.append(connection), two_connections[0].pk),
    )
    unconfirmed.recheck_unconfirmed()
    assert asked == [two_connections[1]]


def test_the_sweep_carries_calls_though_its_first_steps_fail(
    client: Client, altegio: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(client, altegio, AURORA_1)
    monkeypatch.setattr(tasks, "recover_lost_calls", _raise)
    monkeypatch.setattr(tasks, "expire_late_calls", _raise)
    tasks.sweep()
    assert Connection.objects.get().state == "active"


def act(client: Client, name: str, action: str, *rows: Any) -> str:
    form = {"action": action, "_selected_action": [row.pk for row in rows], "confirmed": "yes"}
    return client.post(admin_url(name), form, follow=True).content.decode()


@pytest.mark.leaves_stranded("a claim is planted without its call")
def test_an_action_does_and_records_each_row_by_itself(staff: Client, two_connections: list[Connection]) -> None:
    first, second = two_connections
    ended = {"state": "failed", "claim": first.claim, "claimant": first.claimant, "location": first.location}
    times = {name: timezone.now() for name in ("arrived_at", "last_arrived_at", "deadline_at")}
    Connection.objects.filter(pk=first.pk).update(state="granted", owner=None)
    older = Connection.objects.create(application=first.application, **ended, **times)
    Connection.objects.filter(pk=second.pk).update(state="expired")

    page = act(staff, "connection", "try_again", second, older)
    assert "the same person has a newer claim" in page
    assert "Done for 1 connection." in page
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(second.pk)]


def test_an_action_that_breaks_for_one_row_is_no_page_of_an_error(
    staff: Client, two_connections: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_connections
    monkeypatch.setattr("integrations.activation.staff.ask_status", fails_for(lambda _connection: None, first.pk))
    page = act(staff, "connection", "ask", first, second)
    assert "this did not work, and nothing was changed" in page
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(second.pk)]
