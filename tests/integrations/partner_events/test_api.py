"""Webhooks are made, tested, read and replayed by the API, and the feed shows the same events (docs/interface.md)."""

import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections as databases
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import ApiKey
from integrations.api import webhooks
from integrations.connections.models import Application
from integrations.partner_events import endpoints, types
from integrations.partner_events.models import PartnerEvent, WebhookEndpoint
from integrations.partner_events.publish import NewEvent, publish
from partner_portal.core import byte_portions
from partner_portal.core.retention import delete_old
from sandbox import Sandbox
from tests.clock import later
from tests.integrations.partner_events.conftest import Partner, go_out
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db
HOOKS = "/api/v1/webhooks/"
ACTIVATED, FROZEN = types.CONNECTION_STATES["activated"], types.CONNECTION_STATES["frozen"]


def key(*scopes: str) -> Client:
    """Return a caller whose key has these scopes."""
    _key, secret = ApiKey.objects.create_key(name="cabinet", scopes=list(scopes))
    return Client(headers={"Authorization": f"Api-Key {secret}"})


@pytest.fixture
def cabinet() -> Client:
    return key("webhooks", "read")


def make(cabinet: Client, url: str, **more: Any) -> Any:
    answer = cabinet.post(HOOKS, {"url": url, **more}, "application/json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_new_address_is_answered_with_its_secret_once(cabinet: Client, partner: Partner) -> None:
    made = make(cabinet, partner.url, types=["connection.activated"], description="cabinet")

    assert made["secret"].startswith("whsec_")
    shown = cabinet.get(f"{HOOKS}{made['id']}/").json()
    assert "secret" not in shown
    assert (shown["url"], shown["types"], shown["is_active"]) == (partner.url, ["connection.activated"], True)
    assert [each["id"] for each in cabinet.get(HOOKS).json()["results"]] == [made["id"]]


@pytest.mark.django_db
def test_a_wrong_type_is_refused_with_the_known_ones(cabinet: Client) -> None:
    body = {"url": "https://192.0.43.8/", "types": ["payment.{vanished}"]}
    payload = json.dumps(cabinet.post(HOOKS, body, "application/json").json()["types"])
    assert "There is no type payment.{vanished}. The types are: " in payload
    assert all(name in payload for name in types.ALL)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://partner.example/hooks"}, "url"),
        ({"url": "https://127.0.0.1/hooks"}, "url"),
        ({"url": "https://[::1]/hooks"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://user:word@192.0.43.8/"}, "url"),
        ({"url": "https://no-such-name.invalid/"}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": "https://192.0.43.8/", "types": ["payment.vanished"]}, "types"),
        ({"url": "https://192.0.43.8/", "application_id": 999}, "application_id"),
    ],
)
def test_an_address_that_nothing_is_sent_to_is_refused(cabinet: Client, body: dict[str, Any], field: str) -> None:
    answer = cabinet.post(HOOKS, body, "application/json")

    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not WebhookEndpoint.objects.exists()


def test_the_number_of_addresses_is_limited(
    cabinet: Client, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MAX_ENDPOINTS", 1)
    make(cabinet, partner.url)
    answer = cabinet.post(HOOKS, {"url": partner.url}, "application/json")

    assert answer.status_code == 400
    assert "delete one" in answer.json()["url"][0]


def test_a_changed_address_is_looked_at_too(cabinet: Client, partner: Partner, settings: Settings) -> None:
    made = make(cabinet, partner.url)
    settings.EVENTS_ALLOW_PRIVATE = False
    answer = cabinet.patch(f"{HOOKS}{made['id']}/", {"url": "https://192.168.1.1/"}, "application/json")

    assert answer.status_code == 400
    assert WebhookEndpoint.objects.get().url == partner.url


def test_an_address_is_changed_switched_and_deleted(cabinet: Client, partner: Partner) -> None:
    Application.objects.create(altegio_id=7, name="Beacon", kind="sms")
    address = f"{HOOKS}{make(cabinet, partner.url)['id']}/"

    def change(**fields: Any) -> Any:
        answer = cabinet.patch(address, fields, "application/json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    assert change(is_active=False)["is_active"] is False
    assert change(types=["payment.failed"], application_id=7)["application_id"] == 7
    assert change(application_id=None)["types"] == ["payment.failed"]
    assert change(is_active=True)["is_active"] is True
    shown = cabinet.get(address).json()
    deleted = cabinet.delete(address)
    assert (deleted.status_code, deleted.json()) == (200, shown)
    assert {cabinet.get(address).status_code, cabinet.delete(address).status_code} == {404}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", HOOKS),
        ("post", HOOKS),
        ("get", f"{HOOKS}1/"),
        ("delete", f"{HOOKS}1/"),
        ("post", f"{HOOKS}1/test/"),
        ("post", f"{HOOKS}1/rotate-secret/"),
        ("get", f"{HOOKS}1/deliveries/"),
        ("post", f"{HOOKS}1/replay/"),
    ],
)
def test_a_key_without_the_scope_may_do_nothing(method: str, path: Any) -> None:
    answer = getattr(key("read", "billing", "sms", "telephony"), method)(path)

    assert answer.status_code == 403
    assert "webhooks" in answer.json()["detail"]


def test_a_test_event_arrives_and_its_delivery_is_shown(
    cabinet: Client, partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    assert cabinet.post(f"{HOOKS}{endpoint.pk}/test/").status_code == 202
    go_out()

    assert [payload["type"] for payload in partner.verified(endpoint.secret)] == ["webhook.test"]
    (shown,) = cabinet.get(f"{HOOKS}{endpoint.pk}/deliveries/?state=delivered").json()["results"]
    assert (shown["type"], shown["state"], shown["attempts"], shown["response_status"]) == (
        "webhook.test",
        "delivered",
        1,
        204,
    )
    assert shown["event_id"] == partner.ids[0]
    assert shown["delivered_at"] > shown["created_at"]


@pytest.mark.parametrize(("is_active", "what"), [(False, "switch it on"), (True, "enter one")])
def test_a_test_that_would_go_nowhere_is_refused(
    cabinet: Client, admin_client: Client, endpoint: WebhookEndpoint, is_active: bool, what: str
) -> None:
    """A test is refused for an address that is switched off, and in the name of no application."""
    WebhookEndpoint.objects.update(is_active=is_active)
    answer = cabinet.post(f"{HOOKS}{endpoint.pk}/test/")
    staffs = {"action": "try_it", "_selected_action": endpoint.pk, "confirmed": "yes"}
    page = admin_client.post("/admin/partner_events/webhookendpoint/", staffs, follow=True).content.decode()

    assert answer.status_code == 409
    assert what in answer.json()["detail"]
    assert answer.json()["detail"] in page
    assert not PartnerEvent.objects.exists()


def test_a_new_secret_is_given_out_once_and_both_sign(
    cabinet: Client, partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    answer = cabinet.post(f"{HOOKS}{endpoint.pk}/rotate-secret/").json()
    cabinet.post(f"{HOOKS}{endpoint.pk}/test/")
    go_out()

    assert partner.verified(answer["secret"]) == partner.verified(endpoint.secret) != []


def happen(application: Application, *kinds: str) -> list[str]:
    events = publish(NewEvent(kind, application.pk, {}, connection_id=None) for kind in kinds)
    return [event.message_id for event in events]


def test_the_events_of_a_period_are_replayed(
    cabinet: Client, partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    ids = happen(application, types.PAYMENT_REPORTED, types.PAYMENT_FAILED)
    go_out()
    since = (timezone.now() - timedelta(minutes=1)).isoformat()
    answer = cabinet.post(
        f"{HOOKS}{endpoint.pk}/replay/", {"since": since, "types": ["payment.failed"]}, "application/json"
    )
    go_out()

    assert (answer.status_code, answer.json()) == (202, {"count": 1})
    assert partner.ids == [*ids, ids[1]]


def test_a_waiting_event_is_not_replayed_twice(
    cabinet: Client, partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    ids = happen(application, types.PAYMENT_REPORTED, types.PAYMENT_FAILED)
    go_out()
    body = {"since": (timezone.now() - timedelta(minutes=1)).isoformat()}
    counts = [
        cabinet.post(f"{HOOKS}{endpoint.pk}/replay/", body, "application/json").json()["count"] for _ in range(3)
    ]
    go_out()

    assert counts == [2, 0, 0]
    assert partner.ids == [*ids, *ids]


def test_a_replay_of_too_many_events_is_refused(
    cabinet: Client, endpoint: WebhookEndpoint, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MAX_REPLAYED", 2)
    happen(application, *[types.PAYMENT_REPORTED] * 3)
    go_out()
    body = {"since": (timezone.now() - timedelta(minutes=1)).isoformat()}
    answer = cabinet.post(f"{HOOKS}{endpoint.pk}/replay/", body, "application/json")

    assert answer.status_code == 400
    assert "2 events" in answer.json()["until"][0]


@pytest.mark.parametrize(
    "body", [{}, {"since": "yesterday"}, {"since": "2026-11-24T10:00:00Z", "until": "2026-11-23T10:00:00Z"}]
)
def test_a_replay_without_a_sane_time_is_refused(
    cabinet: Client, endpoint: WebhookEndpoint, body: dict[str, Any]
) -> None:
    assert cabinet.post(f"{HOOKS}{endpoint.pk}/replay/", body, "application/json").status_code == 400


def feed(cabinet: Client, query: str = "") -> list[Any]:
    answer = cabinet.get(f"/api/v1/events/?{query}")
    assert answer.status_code == 200, answer.content
    results: list[Any] = answer.json()["results"]
    return results


def test_the_feed_shows_what_webhooks_carry_oldest_first(
    cabinet: Client,
    partner: Partner,
    endpoint: WebhookEndpoint,
    client: Client,
    altegio: Sandbox,
    work: Work,
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    go_out()

    shown = feed(cabinet)
    assert [{name: event[name] for name in ("type", "timestamp", "data")} for event in shown] == partner.verified(
        endpoint.secret
    )
    assert [event["id"] for event in shown] == partner.ids


def test_the_feed_goes_on_behind_an_event(cabinet: Client, application: Application) -> None:
    ids = happen(application, *[types.PAYMENT_REPORTED] * 3, types.PAYMENT_FAILED)

    assert [event["id"] for event in feed(cabinet, f"after={ids[1]}")] == ids[2:]
    assert [event["id"] for event in feed(cabinet, f"after={ids[0]}&types=payment.failed,payment.refunded")] == [
        ids[3]
    ]
    assert feed(cabinet, f"after={ids[3]}") == []


def aged_out(message_id: str, days: int) -> None:
    """Let the retention delete this event, and no other, by making it so old."""
    mine = PartnerEvent.objects.filter(message_id=message_id)
    mine.update(created_at=timezone.now() - timedelta(days=days))
    delete_old()
    assert not mine.exists()


def test_who_reads_on_from_an_event_that_is_not_kept_any_more_misses_none(application: Application) -> None:
    cabinet, wanted = key("read"), "types=connection.activated"
    happen(application, ACTIVATED)
    [last] = [event["id"] for event in feed(cabinet, wanted)]
    with later(minutes=31 * 24 * 60):
        happen(application, FROZEN)
        delete_old()
        assert not PartnerEvent.objects.filter(message_id=last).exists()
        assert feed(cabinet, f"{wanted}&after={last}") == []
        [new] = happen(application, ACTIVATED)
        assert [event["id"] for event in feed(cabinet, f"{wanted}&after={last}")] == [new]


def test_behind_an_event_that_is_not_kept_any_more_none_comes_that_was_read_long_before(
    cabinet: Client, application: Application, settings: Settings
) -> None:
    """The events of messages go sooner than others."""
    settings.RETENTION_MESSAGES_DAYS = 7
    with later(minutes=-120):
        happen(application, FROZEN)
    [last] = happen(application, types.MESSAGE_REQUESTED)
    feed(cabinet)
    aged_out(last, days=8)
    new = happen(application, ACTIVATED, FROZEN)
    assert [event["id"] for event in feed(cabinet, f"after={last}")] == new


def test_behind_an_event_that_is_not_kept_any_more_comes_what_was_committed_after_it(
    cabinet: Client, application: Application
) -> None:
    """It may have been made before it, in a transaction that took long."""
    with later(minutes=-30):
        [slow] = happen(application, FROZEN)
    with later(minutes=-120):
        [old] = happen(application, FROZEN)
    [last] = happen(application, ACTIVATED)
    feed(cabinet)
    for position, message_id in enumerate((old, last, slow), start=1000):
        PartnerEvent.objects.filter(message_id=message_id).update(position=position)
    aged_out(last, days=31)
    assert [event["id"] for event in feed(cabinet, f"after={last}")] == [slow]


def test_behind_an_event_with_an_id_of_the_former_kind_all_come_that_are_kept(
    cabinet: Client, application: Application
) -> None:
    former = f"evt_{uuid.uuid4().hex}"
    [last, *kept] = happen(application, ACTIVATED, FROZEN, ACTIVATED)
    PartnerEvent.objects.filter(message_id=last).update(message_id=former)
    assert [event["id"] for event in feed(cabinet, f"after={former}")] == kept
    aged_out(former, days=31)
    assert [event["id"] for event in feed(cabinet, f"after={former}")] == kept


def test_a_page_of_large_events_ends_earlier_and_leads_on(
    cabinet: Client, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_portions, "MAX_BYTES", 20_000)
    texts = ["x" * 9_000, "", "", "x" * 9_000, "x" * 50_000, "", "x" * 3_000, "x" * 3_000, "", "x" * 9_000]
    ids = [
        event.message_id
        for event in publish(
            NewEvent(types.PAYMENT_REPORTED, application.pk, {"text": text}, connection_id=None) for text in texts
        )
    ]
    forth, last = walk(cabinet, "/api/v1/events/?page_size=1000", "next")
    assert forth == [ids[0:3], ids[3:4], ids[4:5], ids[5:9], ids[9:]]

    back, first = walk(cabinet, last["previous"], "previous")
    assert back == [ids[5:9], ids[4:5], ids[1:4], ids[0:1]]
    again, _last = walk(cabinet, first["next"], "next")
    assert [event for page in again for event in page] == ids[1:]


def walk(cabinet: Client, address: str, direction: str) -> tuple[list[list[str]], Any]:
    """Return the ids on each page in this direction, and the last answer."""
    shown: list[list[str]] = []
    while address:
        answer = cabinet.get(address).json()
        shown.append([event["id"] for event in answer["results"]])
        address = answer[direction]
    return shown, answer


def test_the_feed_shows_a_test_to_nobody(
    cabinet: Client, partner: Partner, endpoint: WebhookEndpoint, application: Application
) -> None:
    cabinet.post(f"{HOOKS}{endpoint.pk}/test/")

    assert feed(cabinet) == []


@pytest.mark.parametrize(
    ("scopes", "shown"),
    [
        (["read"], [FROZEN]),
        (["read", "billing"], [FROZEN, types.PAYMENT_REPORTED]),
        (["read", "sms"], [FROZEN, types.MESSAGE_REQUESTED]),
        (["read", "webhooks"], [FROZEN, types.PAYMENT_REPORTED, types.MESSAGE_REQUESTED, types.ALTEGIO_EVENTS]),
    ],
)
def test_the_feed_shows_a_key_only_events_of_its_scopes(
    application: Application, scopes: list[str], shown: list[str]
) -> None:
    happen(application, FROZEN, types.PAYMENT_REPORTED, types.MESSAGE_REQUESTED, types.ALTEGIO_EVENTS)

    assert [event["type"] for event in feed(key(*scopes))] == shown


def test_a_feed_request_beyond_the_scopes_names_the_missing_one(application: Application) -> None:
    answer = key("read").get("/api/v1/events/?types=connection.frozen,message.requested")

    assert answer.status_code == 403
    assert '"sms"' in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    ["after=evt_nonsense", "after=%00", f"after=evt_{'0' * 32}", "after=1", "types=payment.vanished", "connection=1"],
)
def test_an_unknown_feed_parameter_is_refused(cabinet: Client, query: str) -> None:
    assert cabinet.get(f"/api/v1/events/?{query}").status_code == 400


@pytest.mark.parametrize("never_given", ["evt_1", f"evt_{'f' * 12}7{'f' * 3}8{'f' * 15}"], ids=["form", "far future"])
def test_an_id_that_was_never_given_is_refused_with_what_to_write(cabinet: Client, never_given: str) -> None:
    answer = cabinet.get(f"/api/v1/events/?after={never_given}")
    assert answer.status_code == 400
    assert "Write the id of the last event" in answer.json()["after"][0]


@pytest.mark.django_db(transaction=True)
def test_an_event_committed_late_comes_after_those_already_shown(application: Application, partner: Partner) -> None:
    """Its key is lower than that of an event committed before it."""
    if databases["default"].vendor == "sqlite":
        pytest.skip("SQLite lets one write after the other.")
    cabinet, written, shown = key("read", "billing"), threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            happen(application, types.PAYMENT_REPORTED)
            written.set()
            shown.wait(10)
        databases.close_all()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    written.wait(10)
    happen(application, types.PAYMENT_FAILED)
    first = feed(cabinet)
    shown.set()
    slow.join()

    assert [event["type"] for event in first] == ["payment.failed"]
    assert [event["type"] for event in feed(cabinet)] == ["payment.failed", "payment.reported"]
    assert (
        PartnerEvent.objects.get(type=types.PAYMENT_REPORTED).pk
        < PartnerEvent.objects.get(type=types.PAYMENT_FAILED).pk
    )


def test_a_caller_without_a_key_sees_no_addresses(client: Client, partner: Partner) -> None:
    assert client.get(HOOKS).status_code == 401
