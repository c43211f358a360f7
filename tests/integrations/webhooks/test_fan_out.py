"""Events go in batches to consumers inside the project until they are accepted or dead."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.alerts.models import Alert
from integrations.connections.models import Installation
from integrations.webhooks.consumers import CONSUMERS, IncomingEvent
from integrations.webhooks.deliver import PAUSES, deliver_due, send_again
from integrations.webhooks.fan_out import WAITING, fan_out, fan_out_again
from integrations.webhooks.models import Delivery, Event
from partner_portal.core.byte_portions import MAX_BYTES
from partner_portal.core.retention import delete_old
from tests.entity_events import GOOD, post_event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_receivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CONSUMERS, "_entries", {})


def due_now() -> None:
    Delivery.objects.filter(state="waiting").update(due_at=timezone.now())


def test_consumers_get_batches_and_each_event_once(client: Client, keys: Installation) -> None:
    got: list[Any] = []
    CONSUMERS.register("mine", got.append)
    for number in range(120):
        post_event(client, keys, GOOD | {"resource_id": number})
    assert fan_out() == 120
    assert fan_out() == 0
    deliver_due()
    deliver_due()

    assert [len(batch) for batch in got] == [100, 20]
    assert [event.body["resource_id"] for batch in got for event in batch] == list(range(120))
    assert got[0][0].salon_id == 10101


def test_large_events_are_forwarded_a_few_at_once(
    client: Client, keys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[int]] = []

    def publish(events: Sequence[IncomingEvent]) -> None:
        assert sum(event.size for event in events) <= MAX_BYTES
        batches.append([event.body["resource_id"] for event in events])

    monkeypatch.setattr("integrations.webhooks.fan_out.publish_events", publish)
    for number in range(9):
        post_event(client, keys, GOOD | {"resource_id": number, "comment": "x" * 1_000_000})
    assert fan_out() == 9
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


def test_an_event_that_a_consumer_cannot_take_ends_up_alone(client: Client, keys: Installation) -> None:
    got: list[Any] = []

    @CONSUMERS.add("picky")
    def take(events: Any) -> None:
        if any(event.body["resource_id"] == 5 for event in events):
            raise ValueError("five")
        got.extend(event.body["resource_id"] for event in events)

    for number in range(8):
        post_event(client, keys, GOOD | {"resource_id": number})
    fan_out()
    for _ in range(len(PAUSES) + 3):
        deliver_due()
        due_now()

    assert sorted(got) == [0, 1, 2, 3, 4, 6, 7]
    dead = Delivery.objects.get(state="dead")
    assert (dead.count, dead.error) == (1, "ValueError: five")
    assert Alert.objects.get().kind == "events"


def test_the_writes_of_a_failing_consumer_are_undone(client: Client, keys: Installation) -> None:
    @CONSUMERS.add("half")
    def take(events: Any) -> None:
        Alert.objects.create(key="half", kind="call", text="written")
        raise ValueError("then failed")

    post_event(client, keys, GOOD)
    fan_out()
    deliver_due()
    assert not Alert.objects.exists()


def test_a_dead_letter_may_be_sent_again(client: Client, keys: Installation) -> None:
    answers = iter([*[ValueError("no")] * (len(PAUSES) + 1), None])

    @CONSUMERS.add("slow")
    def take(_events: Any) -> None:
        if (error := next(answers)) is not None:
            raise error

    post_event(client, keys, GOOD)
    fan_out()
    for _ in range(len(PAUSES) + 1):
        deliver_due()
        due_now()
    assert Delivery.objects.get().state == "dead"

    assert send_again(Delivery.objects.all()) == 1
    deliver_due()
    assert Delivery.objects.get().state == "delivered"


def test_a_delivery_of_which_nothing_is_left_is_not_delivered(client: Client, keys: Installation) -> None:
    CONSUMERS.register("mine", lambda _events: None)
    post_event(client, keys, GOOD)
    fan_out()
    Event.objects.all().delete()
    deliver_due()
    assert Delivery.objects.get().state == "dead"
    assert "not kept" in Delivery.objects.get().error


def test_processing_again_forwards_once_more(client: Client, keys: Installation) -> None:
    got: list[Any] = []
    CONSUMERS.register("mine", got.append)
    post_event(client, keys, GOOD)
    fan_out()
    fan_out_again(Event.objects.all())
    assert fan_out() == 1
    deliver_due()
    assert len(got) == 2


def test_old_events_go_in_batches_and_young_ones_stay(
    client: Client, keys: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.webhooks.retention.BATCH", 2)
    settings.RETENTION_EVENTS_DAYS = 7
    for number in range(6):
        post_event(client, keys, GOOD | {"resource_id": number})
    fan_out()
    old = list(Event.objects.order_by("pk").values_list("pk", flat=True)[:5])
    Event.objects.filter(pk__in=old).update(received_at=timezone.now() - timedelta(days=8))
    assert delete_old()["events"] == 5
    assert Event.objects.count() == 1


def test_events_waiting_to_be_forwarded_outlive_their_retention(
    client: Client, keys: Installation, settings: Settings
) -> None:
    settings.RETENTION_EVENTS_DAYS = 1
    got: list[Any] = []
    CONSUMERS.register("mine", got.append)
    post_event(client, keys, GOOD)
    Event.objects.update(received_at=timezone.now() - timedelta(days=2))
    delete_old()
    fan_out()
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=2))
    delete_old()
    deliver_due()
    assert len(got) == 1

    delete_old()
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()


def test_a_dead_letter_is_deleted_after_its_time(client: Client, keys: Installation, settings: Settings) -> None:
    settings.RETENTION_EVENTS_DAYS = 1
    post_event(client, keys, GOOD)
    WAITING.bury(Event.objects.get().pk, "It cannot be read.")
    Event.objects.update(received_at=timezone.now() - timedelta(days=2))
    delete_old()
    assert not Event.objects.exists()


@pytest.mark.leaves_stranded("an event is made old without a worker")
def test_with_0_days_events_are_kept_for_good(client: Client, keys: Installation, settings: Settings) -> None:
    settings.RETENTION_EVENTS_DAYS = 0
    post_event(client, keys, GOOD)
    Event.objects.update(received_at=timezone.now() - timedelta(days=1000))
    delete_old()
    assert Event.objects.exists()
