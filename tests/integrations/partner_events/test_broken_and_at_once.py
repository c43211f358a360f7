"""An event or address that is broken, deleted or changed during deliveries harms nothing else."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from integrations.connections.models import Application
from integrations.partner_events import deliver, types
from integrations.partner_events.deliver import PAUSES
from integrations.partner_events.endpoints import change, new_endpoint, replay, rotate_secret, switch
from integrations.partner_events.fan_out import fan_out
from integrations.partner_events.models import PartnerEvent, WebhookDelivery, WebhookEndpoint
from integrations.partner_events.publish import NewEvent, publish
from integrations.partner_events.retention import delete_old_events
from integrations.partner_events.sending import post_signed
from tests.concurrency import at_once
from tests.integrations.partner_events.conftest import Partner, due_now, go_out
from tests.not_none import not_none

pytestmark = pytest.mark.django_db
HOOKS = "/api/v1/webhooks/"


def happen(application: Application, count: int = 1) -> list[PartnerEvent]:
    kind = types.CONNECTION_STATES["frozen"]
    return publish(NewEvent(kind, application.pk, {"n": each}, connection_id=None) for each in range(count))


def spoil(table: str, column: str, key: int) -> None:
    """Make a column unreadable, as if its encryption key were lost."""
    with database.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = 'gAAAA-nobody-reads-this' WHERE id = %s", [key])


def states_of(event: PartnerEvent) -> list[str]:
    return list(event.deliveries.order_by("pk").values_list("state", flat=True))


def test_an_event_that_cannot_be_read_ends_alone(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    broken, sound = happen(application, 2)
    spoil("partner_events_partnerevent", "body", broken.pk)
    go_out()
    assert partner.ids == [sound.message_id]

    for _ in PAUSES:
        due_now()
        go_out()
    assert (states_of(broken), states_of(sound)) == (["dead"], ["delivered"])
    assert "cannot be read" in WebhookDelivery.objects.get(event=broken).error


def test_old_events_are_deleted_unread(partner: Partner, endpoint: WebhookEndpoint, application: Application) -> None:
    (old,) = happen(application)
    go_out()
    spoil("partner_events_partnerevent", "body", old.pk)
    assert delete_old_events(timezone.now()) == 1
    assert not PartnerEvent.objects.exists()


def test_events_waiting_for_an_address_outlive_their_retention(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    happen(application)
    assert delete_old_events(timezone.now()) == 0, "it has no place yet"
    partner.answers = [500]
    go_out()
    assert delete_old_events(timezone.now()) == 0
    due_now()
    go_out()
    assert delete_old_events(timezone.now()) == 1


@pytest.mark.leaves_stranded("what cannot be signed waits")
def test_an_address_whose_secret_cannot_be_read_stops_no_other(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    broken = new_endpoint(partner.url, [], None, "broken")
    spoil("partner_events_webhookendpoint", "secret", broken.pk)
    (event,) = happen(application)
    go_out()
    go_out()

    assert partner.ids == [event.message_id]
    assert "FIELD_ENCRYPTION_KEYS" in broken.deliveries.get().error


@pytest.mark.leaves_stranded("what cannot be signed waits")
def test_a_secret_that_cannot_be_read_is_replaced_by_the_api(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    spoil("partner_events_webhookendpoint", "secret", endpoint.pk)
    _key, secret = ApiKey.objects.create_key(name="cabinet", scopes=["webhooks"])
    cabinet = Client(headers={"Authorization": f"Api-Key {secret}"})

    assert cabinet.get("/api/v1/webhooks/").json()["results"][0]["url"] == partner.url
    new = cabinet.post(f"/api/v1/webhooks/{endpoint.pk}/rotate-secret/").json()["secret"]
    happen(application)
    go_out()
    assert len(partner.verified(new)) == 1


def test_a_failure_of_our_own_ends_one_delivery_and_no_other(
    partner: Partner, endpoint: WebhookEndpoint, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = happen(application, 2)

    def fail_once(*arguments: Any) -> int:
        if arguments[2] == broken.message_id:
            raise RuntimeError("a fault of ours")
        return post_signed(*arguments)

    monkeypatch.setattr(deliver, "post_signed", fail_once)
    for _ in range(len(PAUSES) + 1):
        go_out()
        due_now()

    assert (states_of(broken), states_of(sound)) == (["dead"], ["delivered"])


@pytest.mark.leaves_stranded("what is refused waits")
def test_an_address_that_refuses_all_of_many_rests_so_that_others_have_their_turn(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    partner.answers = [500] * 1000
    happen(application, 2 * deliver.RUN)
    go_out()

    assert len(partner.received) == deliver.RUN
    assert not_none(WebhookEndpoint.objects.get().rests_until) > timezone.now()


def test_an_address_that_is_deleted_under_way_is_gone(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    happen(application)
    fan_out()
    run = not_none(deliver._claim([]))
    endpoint.delete()

    assert [tried.status for tried in deliver._execute(run)] == [None]
    assert not WebhookEndpoint.objects.exists()


def test_an_address_that_is_switched_off_under_way_stays_off(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    happen(application)
    fan_out()
    run = not_none(deliver._claim([]))
    switch(endpoint, on=False)
    deliver._execute(run)

    assert not WebhookEndpoint.objects.get().is_active


def test_two_rotations_at_once_hand_out_secrets_that_both_sign(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    read_before: Any = WebhookEndpoint.objects.get()
    first, second = rotate_secret(endpoint), rotate_secret(read_before)
    happen(application)
    go_out()

    assert partner.verified(first) == partner.verified(second) != []


@pytest.mark.django_db(transaction=True)
def test_replays_at_once_queue_each_event_once(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    happen(application, 3)
    go_out()
    since = timezone.now() - timedelta(minutes=1)

    assert sorted(at_once(*[partial(replay, endpoint, since, None, [])] * 4)) == [0, 0, 0, 3]


def test_a_simultaneous_change_by_another_stays(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    change(endpoint, {"url": f"{partner.url}/new"}, on=None)
    changed = change(endpoint, {"types": [types.PAYMENT_FAILED]}, on=None)

    assert (changed.url, changed.types) == (f"{partner.url}/new", [types.PAYMENT_FAILED])


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_deleted_meanwhile_is_not_found(
    partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    _key, secret = ApiKey.objects.create_key(name="cabinet", scopes=["webhooks"])
    client = Client(headers={"Authorization": f"Api-Key {secret}"})
    since = {"since": timezone.now().isoformat()}
    asked: list[tuple[str, dict[str, Any]]] = [("test/", {}), ("rotate-secret/", {}), ("replay/", since)]
    at_work = [partial(client.post, f"{HOOKS}{endpoint.pk}/{what}", body, "application/json") for what, body in asked]
    at_work += [partial(client.patch, f"{HOOKS}{endpoint.pk}/", {"description": "new"}, "application/json")] * 3
    answers = at_once(*at_work, partial(client.delete, f"{HOOKS}{endpoint.pk}/"), *at_work)

    assert {answer.status_code for answer in answers} <= {200, 202, 204, 404}
