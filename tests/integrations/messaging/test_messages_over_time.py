"""A message that nobody answers ends, staff are alerted before, and neither numbers nor texts stay for ever."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.erasure import erase_person
from integrations.alerts.models import Alert
from integrations.connections.models import Connection
from integrations.messaging.message_ends import end_unanswered, watch_the_gateway
from integrations.messaging.message_feed import place_waiting
from integrations.messaging.models import RequestedMessage
from integrations.partner_events.endpoints import new_endpoint
from integrations.partner_events.fan_out import fan_out
from integrations.partner_events.models import PartnerEvent, WebhookDelivery
from partner_portal.core.retention import delete_old
from sandbox import Sandbox
from tests.integrations.messaging.requesting import PHONE, TEXT
from tests.not_none import not_none
from tests.response import Api

pytestmark = pytest.mark.django_db
NUMBER = iter(range(1, 1000))


@pytest.fixture
def connection(connect: Callable[..., Connection]) -> Connection:
    return connect(10101)


def came(connection: Connection, ago: timedelta, state: str = "requested") -> RequestedMessage:
    return RequestedMessage.objects.create(
        connection=connection,
        send_id=f"s{next(NUMBER)}",
        phone=PHONE,
        text=TEXT,
        callback="app/smsprovider/status/callback/{partner_token}",
        state=state,
        received_at=timezone.now() - ago,
    )


def states() -> list[str]:
    return list(RequestedMessage.objects.order_by("pk").values_list("state", flat=True))


def test_after_three_days_without_a_final_status_a_message_is_unanswered(connection: Connection) -> None:
    for state in ("requested", "handed_over", "sent_to_phone", "delivered"):
        came(connection, timedelta(days=3, minutes=1), state)
    came(connection, timedelta(days=2, hours=23))
    assert end_unanswered() == 3
    assert states() == ["unanswered"] * 3 + ["delivered", "requested"]


def test_a_status_that_comes_after_the_end_still_counts(
    connection: Connection, api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    message = came(connection, timedelta(days=4))
    end_unanswered()
    api("post", "sms/statuses/", [{"ext_id": message.ext_id, "status": 2}])
    work()
    assert states() == ["not_delivered"]


def test_staff_are_alerted_of_a_silent_gateway_until_a_status_comes(
    connection: Connection, api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    came(connection, timedelta(minutes=14))
    watch_the_gateway()
    assert not Alert.objects.exists()

    message = came(connection, timedelta(minutes=16))
    for _ in range(2):
        watch_the_gateway()
    alert = Alert.objects.get()
    assert alert.kind == "messages"
    assert "no status comes" in alert.text

    api("post", "sms/statuses/", [{"ext_id": message.ext_id, "status": 4}])
    work()
    watch_the_gateway()
    alert.refresh_from_db()
    assert alert.cleared_at


def test_one_phone_that_is_off_is_no_silent_gateway(
    connection: Connection, api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    came(connection, timedelta(minutes=30))
    api("post", "sms/statuses/", [{"ext_id": came(connection, timedelta(minutes=20)).ext_id, "status": 4}])
    work()
    watch_the_gateway()
    assert not Alert.objects.exists()


@pytest.mark.leaves_stranded("an old message is planted and not ended")
def test_messages_go_with_their_texts_once_they_have_ended(connection: Connection) -> None:
    kept = came(connection, timedelta(days=29), "delivered")
    came(connection, timedelta(days=31), "delivered")
    waits = came(connection, timedelta(days=31))
    assert delete_old()["requested messages"] == 1
    assert set(RequestedMessage.objects.all()) == {kept, waits}


def test_a_status_outlives_its_message(
    connection: Connection, api: Api, altegio: Sandbox, work: Callable[..., None]
) -> None:
    message = came(connection, timedelta(minutes=1))
    api("post", "sms/statuses/", [{"ext_id": message.ext_id, "status": 4}])
    work()
    RequestedMessage.objects.all().delete()
    assert [status["id"] for status in altegio.sms_statuses()] == [message.send_id]


def test_an_owner_who_is_erased_leaves_no_numbers_and_texts_of_their_clients(connection: Connection) -> None:
    came(connection, timedelta(days=1), "delivered")
    assert RequestedMessage.objects.get().text == TEXT
    erase_person(not_none(connection.owner))
    message = RequestedMessage.objects.get()
    assert (message.phone, message.text, message.sender_name) == ("", "", "")


def test_the_metrics_say_what_waits_and_for_how_long(
    connection: Connection, client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "x"
    came(connection, timedelta(minutes=5))
    page = client.get("/metrics/", headers={"Authorization": "Bearer x"}).content.decode()
    assert 'portal_messages_waiting{state="requested"} 1.0' in page
    assert 'portal_messages_waiting{state="sent_to_phone"} 0.0' in page
    assert "portal_oldest_message_seconds 300." in page


def test_in_the_admin_number_and_text_are_masked(connection: Connection, admin_client: Client) -> None:
    message = came(connection, timedelta(minutes=5))
    pages = [
        admin_client.get(f"/admin/messaging/requestedmessage/{path}").content.decode()
        for path in ("", f"{message.pk}/change/", f"?q={message.send_id}")
    ]
    for page in pages:
        assert PHONE not in page
        assert TEXT not in page
        assert f"•••{PHONE[-2:]}" in page
    assert f"({len(TEXT)} characters)" in pages[1]


def test_what_tells_of_a_message_goes_with_it_and_nothing_else(connection: Connection, settings: Settings) -> None:
    """The event holds the same number and text."""
    settings.RETENTION_MESSAGES_DAYS, settings.RETENTION_EVENTS_DAYS = 7, 30
    for endpoint in ("taken", "still-tried"):
        new_endpoint(f"https://{endpoint}.partner.example/", ["message.requested"], None, "")
    came(connection, timedelta(days=8), "delivered")
    place_waiting()
    fan_out()
    PartnerEvent.objects.update(created_at=timezone.now() - timedelta(days=8))
    WebhookDelivery.objects.filter(endpoint__url__contains="taken").update(state="delivered")
    assert delete_old()["events of requested messages"] == 0

    WebhookDelivery.objects.update(state="delivered")
    others = PartnerEvent.objects.exclude(type="message.requested").count()
    assert delete_old()["events of requested messages"] == 1
    assert list(PartnerEvent.objects.filter(type="message.requested")) == []
    assert PartnerEvent.objects.count() == others > 0
