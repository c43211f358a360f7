"""Events reach the partner's systems signed, at least once and in order for each connection, or end
as dead letters.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection
from integrations.partner_events import deliver, types
from integrations.partner_events.deliver import PAUSES, deliver_due
from integrations.partner_events.endpoints import (
    MAX_FORMER,
    change,
    new_endpoint,
    replay,
    rotate_secret,
    send_again,
    send_test,
    switch,
)
from integrations.partner_events.fan_out import fan_out
from integrations.partner_events.models import PartnerEvent, WebhookDelivery, WebhookEndpoint
from integrations.partner_events.publish import NewEvent, publish
from integrations.partner_events.reading import Message, read_messages
from integrations.partner_events.sending import signed_headers
from sandbox import Sandbox
from tests.integrations.partner_events.conftest import Partner, due_now, go_out
from tests.marketplace import AURORA_1, AURORA_2, arrive
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def connections(client: Client, altegio: Sandbox, work: Work) -> list[Connection]:
    """Return two live connections whose beginning is not published to the partner's systems."""
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    PartnerEvent.objects.all().delete()
    return list(Connection.objects.order_by("pk"))


def happen(*connections: Connection, kind: str = types.PAYMENT_REPORTED) -> list[PartnerEvent]:
    """Let something happen to each connection in turn."""
    return publish(
        NewEvent(kind, connection.application_id, {"n": number}, connection_id=connection.pk)
        for number, connection in enumerate(connections)
    )


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))


def test_an_activation_is_delivered_as_the_api_shows_it(
    client: Client, altegio: Sandbox, work: Work, partner: Partner, endpoint: WebhookEndpoint
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    go_out()

    activated, renamed = partner.verified(endpoint.secret)
    assert (activated["type"], renamed["type"]) == ("connection.activated", "connection.changed")
    assert activated["data"]["previous_state"] == "pending"
    assert activated["data"]["connection"]["salon_id"] == AURORA_1
    assert activated["data"]["connection"]["state"] == "active"
    assert activated["timestamp"] == json.loads(not_none(PartnerEvent.objects.first()).body)["timestamp"]


def test_each_event_goes_out_once_whoever_asks_how_often(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    happen(connections[0])
    go_out()
    due_now()
    go_out()

    assert len(partner.received) == 1


def test_an_event_of_a_transaction_that_is_rolled_back_never_happened(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    with pytest.raises(RuntimeError):
        _fail_after(lambda: happen(connections[0]))
    go_out()

    assert partner.received == []


def _fail_after(work: Callable[[], object]) -> None:
    with transaction.atomic():
        work()
        raise RuntimeError


def test_a_refused_event_keeps_its_id_and_its_body(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    partner.answers = [500, 503]
    happen(connections[0])
    for _ in range(3):
        go_out()
        due_now()

    bodies = [body for _headers, body in partner.received]
    assert len(partner.received) == 3
    assert len(set(partner.ids)) == len(set(bodies)) == 1
    assert states() == ["delivered"]


@pytest.mark.leaves_stranded("what is refused waits")
def test_a_refused_event_holds_back_only_its_own_connection(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    first, second = connections
    partner.answers = [500]
    one, two, three = happen(first, first, second)
    go_out()

    assert partner.ids == [one.message_id, three.message_id]
    due_now()
    go_out()
    assert partner.ids[2:] == [one.message_id, two.message_id]


def test_an_address_that_is_down_holds_back_no_other(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    down = new_endpoint("http://127.0.0.1:9/", [], None, "down")
    happen(*connections)
    go_out()

    assert len(partner.received) == 2
    assert set(down.deliveries.values_list("state", flat=True)) == {"waiting"}
    down.delete()


def test_the_tries_go_on_for_three_days_and_end_as_a_dead_letter(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    partner.answers = [500] * 50
    happen(connections[0])
    for _ in range(len(PAUSES) + 3):
        go_out()
        due_now()

    assert 3 * 86400 - 3600 <= sum(PAUSES) <= 3.5 * 86400
    assert len(partner.received) == len(PAUSES) + 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.response_status, delivery.error) == ("dead", 500, "HTTP 500")


def test_a_dead_letter_lets_the_later_ones_go_and_may_be_sent_again(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    one, two = happen(connections[0], connections[0])
    fan_out()
    WebhookDelivery.objects.filter(event=one).update(attempt_count=len(PAUSES))
    partner.answers = [500]
    go_out()
    go_out()
    assert partner.ids == [one.message_id, two.message_id]

    assert send_again(list(WebhookDelivery.objects.filter(state="dead"))) == 1
    go_out()
    assert partner.ids == [one.message_id, two.message_id, one.message_id]


@pytest.mark.leaves_stranded("what is refused waits")
def test_an_address_that_asks_to_be_left_alone_gets_nothing_more(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    partner.answers, partner.extra = [429], {"Retry-After": "300"}
    happen(*connections)
    go_out()

    assert len(partner.received) == 1
    endpoint.refresh_from_db()
    assert not_none(endpoint.rests_until) > timezone.now() + timedelta(seconds=290)


def test_an_address_that_failed_for_a_day_is_switched_off_and_staff_are_alerted(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    partner.answers = [500, 500]
    happen(*connections)
    go_out()
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(hours=25))
    partner.answers = [500, 500]
    due_now()
    go_out()
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    alert = Alert.objects.get(cleared_at=None)
    assert "127.0.0.1" in alert.text
    assert partner.url not in alert.text

    WebhookDelivery.objects.update(due_at=timezone.now() + timedelta(hours=20))
    switch(endpoint, on=True)
    go_out()
    assert states() == ["delivered", "delivered"]
    alert.refresh_from_db()
    assert alert.cleared_at is not None


def switch_on_again(endpoint: WebhookEndpoint) -> None:
    switch(endpoint, on=False)
    switch(endpoint, on=True)


def replay_all(endpoint: WebhookEndpoint) -> None:
    assert replay(endpoint, timezone.now() - timedelta(days=3), None, []) == 0


@pytest.mark.leaves_stranded("what is refused waits")
@pytest.mark.parametrize("mended", [switch_on_again, replay_all])
def test_deliveries_to_a_repaired_address_go_now_with_all_their_attempts(
    partner: Partner,
    endpoint: WebhookEndpoint,
    connections: list[Connection],
    mended: Callable[[WebhookEndpoint], None],
) -> None:
    happen(*connections)
    fan_out()
    WebhookDelivery.objects.update(due_at=timezone.now() + timedelta(hours=20), attempt_count=len(PAUSES))
    mended(endpoint)
    partner.answers = [204, 500]
    go_out()

    assert len(partner.received) == 2
    assert states() == ["delivered", "waiting"]


@pytest.mark.parametrize("mended", [switch_on_again, replay_all])
def test_a_delivery_in_a_workers_hands_stays_its_own_when_the_address_is_repaired(
    partner: Partner,
    endpoint: WebhookEndpoint,
    connections: list[Connection],
    mended: Callable[[WebhookEndpoint], None],
) -> None:
    happen(connections[0])
    fan_out()
    run = not_none(deliver._claim([]))
    mended(endpoint)
    assert deliver._claim([]) is None
    assert len(deliver._execute(run)) == 1
    assert states() == ["delivered"]


@pytest.mark.leaves_stranded("what is refused waits")
@pytest.mark.parametrize("by", ["a key", "staff"])
def test_a_new_url_begins_without_the_failures_of_the_former(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection], admin_client: Client, by: str
) -> None:
    happen(*connections)
    fan_out()
    now = timezone.now()
    WebhookDelivery.objects.update(due_at=now + timedelta(hours=20), attempt_count=len(PAUSES))
    WebhookEndpoint.objects.update(failing_since=now - timedelta(hours=23), rests_until=now + timedelta(hours=1))
    if by == "staff":
        page = f"/admin/partner_events/webhookendpoint/{endpoint.pk}/change/"
        assert admin_client.post(page, {"url": f"{partner.url}/new"}).status_code == 302
    else:
        change(endpoint, {"url": f"{partner.url}/new"}, on=None)
    partner.answers = [204, 500]
    go_out()

    assert len(partner.received) == 2
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert not_none(endpoint.failing_since) >= now
    assert states() == ["delivered", "waiting"]


def test_a_late_failure_of_the_former_url_does_not_count_for_the_new_one(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    partner.answers, partner.extra = [503], {"Retry-After": "3600"}
    happen(connections[0])
    fan_out()
    run = not_none(deliver._claim([]))
    change(endpoint, {"url": f"{partner.url}/new"}, on=None)
    deliver._execute(run)

    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.rests_until) == (None, None)
    replay(endpoint, timezone.now() - timedelta(days=1), None, [])
    go_out()
    assert states() == ["delivered"]


def test_a_late_refusal_of_the_former_url_goes_to_the_new_one_with_all_attempts(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    happen(*connections, connections[0])
    fan_out()
    WebhookDelivery.objects.update(attempt_count=len(PAUSES) - 1)
    partner.answers = [500, 500]
    run = not_none(deliver._claim([]))
    change(endpoint, {"url": f"{partner.url}/new"}, on=None)
    deliver._execute(run)

    assert set(WebhookDelivery.objects.values_list("state", "attempt_count")) == {("waiting", 0)}
    go_out()
    assert states() == ["delivered"] * 3


def test_the_deliveries_of_a_dead_worker_are_taken_up_soon(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(connections[0])
    monkeypatch.setattr(deliver, "_execute", lambda _run: [])
    go_out()
    monkeypatch.undo()
    leased = WebhookDelivery.objects.get().due_at

    assert timezone.now() < leased <= timezone.now() + timedelta(seconds=30)
    due_now()
    deliver_due()
    assert len(partner.received) == 1


def test_a_delivery_taken_over_by_another_worker_stays_its_own(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    happen(connections[0])
    fan_out()
    run = not_none(deliver._claim([]))
    WebhookDelivery.objects.update(state="delivered", error="by another")
    deliver._execute(run)

    assert WebhookDelivery.objects.get().error == "by another"


@pytest.mark.parametrize(
    ("wanted", "count"),
    [([], 2), ([types.PAYMENT_REPORTED], 1), ([types.PAYMENT_FAILED], 1), ([types.PAYMENT_REFUNDED], 0)],
)
def test_an_address_gets_the_types_that_it_wants(
    partner: Partner, connections: list[Connection], wanted: Any, count: int
) -> None:
    new_endpoint(partner.url, wanted, None, "")
    happen(connections[0])
    happen(connections[0], kind=types.PAYMENT_FAILED)
    go_out()

    assert len(partner.received) == count


def test_an_address_of_one_application_gets_nothing_of_another(
    partner: Partner, connections: list[Connection]
) -> None:
    other = Application.objects.create(altegio_id=77, name="Other", kind="sms")
    new_endpoint(partner.url, [], other, "")
    happen(connections[0])
    go_out()

    assert partner.received == []


def test_a_test_goes_to_this_address_alone_whatever_it_wants(
    partner: Partner, connections: list[Connection], endpoint: WebhookEndpoint
) -> None:
    picky = new_endpoint(partner.url, [types.PAYMENT_FAILED], None, "")
    send_test(picky)
    go_out()

    assert [activated["type"] for activated in partner.verified(picky.secret)] == ["webhook.test"]


def test_for_a_day_after_a_rotation_both_secrets_fit(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    former = endpoint.secret
    new = rotate_secret(endpoint)
    happen(connections[0])
    go_out()
    assert partner.verified(former) == partner.verified(new)

    partner.received.clear()
    happen(connections[0])
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        go_out()
        assert partner.received[0][0]["webhook-signature"].count("v1,") == 1
        assert len(partner.verified(new)) == 1


def test_a_rotation_whose_answer_was_lost_is_repeated_without_harm(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    in_use, lost, new = endpoint.secret, rotate_secret(endpoint), rotate_secret(endpoint)
    happen(connections[0])
    go_out()

    assert partner.verified(in_use) == partner.verified(lost) == partner.verified(new)


def test_a_further_rotation_gives_a_former_secret_no_further_day(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    leaked, now = endpoint.secret, timezone.now()
    former = rotate_secret(endpoint)
    with time_machine.travel(now + timedelta(hours=23)):
        new = rotate_secret(endpoint)
    with time_machine.travel(now + timedelta(hours=25)):
        happen(connections[0])
        go_out()
        assert partner.received[0][0]["webhook-signature"].count("v1,") == 2
        assert partner.verified(former) == partner.verified(new)
        endpoint.refresh_from_db()
        assert leaked not in endpoint.secrets


def test_the_newest_secrets_sign_after_many_rotations(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    given = [rotate_secret(endpoint) for _ in range(MAX_FORMER + 2)]
    happen(connections[0])
    go_out()

    assert partner.received[0][0]["webhook-signature"].count("v1,") == MAX_FORMER + 1
    assert partner.verified(given[1]) == partner.verified(given[-1])


def test_a_replayed_event_keeps_its_id_and_its_order(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    began = timezone.now()
    events = happen(*connections, *connections)
    go_out()
    happen(connections[0], kind=types.PAYMENT_FAILED)
    go_out()
    partner.received.clear()

    assert replay(endpoint, began, None, [types.PAYMENT_REPORTED]) == 4
    go_out()
    assert partner.ids == [event.message_id for event in events]


def test_many_events_cost_few_queries(
    partner: Partner,
    endpoint: WebhookEndpoint,
    connections: list[Connection],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    happen(*connections * 40)
    with django_assert_max_num_queries(30) as few:
        go_out()
    assert len(partner.received) == 80

    happen(*connections * 10)
    with django_assert_max_num_queries(len(few.captured_queries)):
        go_out()


def test_large_events_are_read_a_few_at_once(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    portions: list[int] = []

    def read(keys: Sequence[int]) -> dict[int, Message]:
        portions.append(len(keys))
        return read_messages(keys)

    monkeypatch.setattr("integrations.partner_events.reading.read_messages", read)
    large = {"text": "x" * 700_000}
    where = connections[0]
    published = publish(
        NewEvent(types.PAYMENT_REPORTED, where.application_id, large, connection_id=where.pk) for _ in range(10)
    )
    go_out()
    assert partner.ids == [event.message_id for event in published]
    assert (portions, set(states())) == ([4, 4, 2], {"delivered"})


def test_publishing_many_is_one_query(
    connections: list[Connection], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        happen(*connections * 20)
    fan_out()


def test_the_signature_is_the_one_of_the_specifications_example() -> None:
    # This is from the specification's reference libraries.
    headers = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.leaves_stranded("what is refused waits")
def test_a_redirect_is_not_followed(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection]
) -> None:
    partner.answers, partner.extra = [302], {"Location": "/elsewhere"}
    happen(connections[0])
    go_out()

    assert len(partner.received) == 1
    assert WebhookDelivery.objects.get().error == "HTTP 302"


@pytest.mark.leaves_stranded("what is refused waits")
def test_an_address_that_leads_inside_by_now_is_not_sent_to(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection], settings: Settings
) -> None:
    settings.EVENTS_ALLOW_PRIVATE = False
    WebhookEndpoint.objects.update(url=partner.url.replace("http://", "https://"))
    happen(connections[0])
    go_out()

    assert partner.received == []
    assert "not public" in WebhookDelivery.objects.get().error


@pytest.mark.parametrize("secret", ["events", "whsec_"])
def test_no_body_and_no_secret_stands_in_a_plain_column(
    partner: Partner, endpoint: WebhookEndpoint, connections: list[Connection], secret: str
) -> None:
    happen(connections[0])
    fan_out()
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM partner_events_partnerevent")
        bodies: list[Any] = cursor.fetchall()
        cursor.execute("SELECT secret FROM partner_events_webhookendpoint")
        assert secret not in str(bodies + cursor.fetchall())
    go_out()
