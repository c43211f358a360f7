"""Messages that come and are read at the same moment: each is stored once, and the list grows at its end alone."""

import threading

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from integrations.connections.models import Application, Connection, Location
from integrations.messaging.message_feed import place_waiting
from integrations.messaging.message_intake import take_messages
from integrations.messaging.message_parsing import MessageRequest, read_message_request
from integrations.messaging.message_senders import Place
from integrations.messaging.models import RequestedMessage
from tests.concurrency import at_once
from tests.integrations.messaging.requesting import message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sender() -> Place:
    place = {
        "application": Application.objects.create(altegio_id=1, takes_messages=True),
        "location": Location.objects.create(altegio_id=10101),
    }
    moments = dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at"), timezone.now())
    connection = Connection.objects.create(**place, **moments, state="active", claim="u:1")
    return connection.application_id, connection.location_id


def asking(*send_ids: str) -> MessageRequest:
    return read_message_request(message(destination_params=[{"id": send_id, "phone": "1"} for send_id in send_ids]))


def in_order() -> list[str]:
    place_waiting()
    placed = RequestedMessage.objects.exclude(position=None)
    return list(placed.order_by("position").values_list("send_id", flat=True))


def test_the_same_send_ids_at_once_in_any_order_are_the_same_messages(sender: Place) -> None:
    ids = [f"s{number}" for number in range(300)]
    results = at_once(
        lambda: take_messages(sender, asking(*ids)),
        lambda: take_messages(sender, asking(*ids[::-1])),
        lambda: take_messages(sender, asking(*ids, *ids)),
    )
    keys = [{answer["id"]: answer["ext_id"] for answer in answers} for answers in results]
    assert keys == [keys[0]] * 3
    assert RequestedMessage.objects.count() == 300


@pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite lets one transaction write at a time.")
def test_what_is_committed_late_stands_behind_what_was_shown(sender: Place) -> None:
    stored, shown = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            take_messages(sender, asking("slow"))
            stored.set()
            shown.wait(10)

    def quick() -> list[str]:
        stored.wait(10)
        take_messages(sender, asking("quick"))
        try:
            return in_order()
        finally:
            shown.set()

    assert ["quick"] in at_once(slow, quick)
    assert in_order() == ["quick", "slow"]
    assert list(RequestedMessage.objects.order_by("pk").values_list("send_id", flat=True)) == ["slow", "quick"]


def test_many_readers_and_writers_see_one_list_that_grows_at_its_end(sender: Place) -> None:
    def write(name: str) -> list[str]:
        for number in range(8):
            take_messages(sender, asking(f"{name}{number}"))
        return []

    def read() -> list[list[str]]:
        return [in_order() for _ in range(8)]

    results = at_once(lambda: write("a"), read, lambda: write("b"), read)
    whole = in_order()
    assert len(whole) == 16
    assert [shown for result in results for shown in result if shown != whole[: len(shown)]] == []
