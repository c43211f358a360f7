"""Systems that poll by `updated_since` miss no change, and a list refuses what it does not know."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode
from rest_framework.mixins import ListModelMixin

from accounts.email_change import take_address
from accounts.erasure import erase_person
from accounts.models import ApiKey, User
from billing.api.urls import urlpatterns as billing_urls
from integrations.altegio.location_list import RemoteLocation
from integrations.api.urls import urlpatterns as marketplace_urls
from integrations.connections.models import Chain, Connection, Location, State
from integrations.connections.transitions import move
from integrations.locations.call_kinds import remember
from integrations.telephony.chains import adopt_chain
from sandbox import Sandbox
from tests import marketplace
from tests.not_none import not_none
from tests.planting import give_calls
from tests.response import Api, Response

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(client: Client) -> Api:
    _key, secret = ApiKey.objects.create_key(name="reader", scopes=["read", "billing"])
    headers = {"Authorization": f"Api-Key {secret}"}

    def run(path: str = "connections/", **asked: Any) -> Response:
        address = path if "/api/v1/" in path else f"/api/v1/{path}?{urlencode(asked)}"
        return client.get(address, headers=headers)

    return run


@pytest.fixture
def connection(connect: Callable[..., Connection]) -> Connection:
    """Return a connection that has not changed for a day."""
    found = connect()
    Connection.objects.update(updated_at=timezone.now() - timedelta(days=1))
    return found


def rename(connection: Connection) -> None:
    place = connection.location
    remember([RemoteLocation(place.altegio_id, "New name", "", "", "", "", "", "", "")])


def give_other_owner(connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(owner=User.objects.create(email="other@owner.example"))


def change_address(connection: Connection) -> None:
    owner = not_none(connection.owner)
    User.objects.filter(pk=owner.pk).update(pending_email="new@owner.example")
    take_address(User.objects.get(pk=owner.pk), is_owner=True)


def save_in_bulk(connection: Connection) -> None:
    Connection.objects.bulk_update([connection], ["paid_until"])


def save_one_field(connection: Connection) -> None:
    connection.save(update_fields=["paid_until"])


CHANGES = {
    "state": lambda connection: move(connection, State.FROZEN, "no payment"),
    "owner": give_other_owner,
    "owner deleted": lambda connection: connection.owner.delete(),
    "owner erased": lambda connection: erase_person(connection.owner),
    "address": change_address,
    "title": rename,
    "save": lambda connection: connection.save(),
    "some fields": save_one_field,
    "in bulk": save_in_bulk,
    "through a relation": lambda connection: connection.location.connections.update(paid_until=None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_found_by_polling_updated_since(read: Api, connection: Connection, change: Any) -> None:
    since = timezone.now().isoformat()
    assert read(updated_since=since).json()["results"] == []
    change(connection)
    (row,) = read(updated_since=since).json()["results"]
    assert row["id"] == connection.pk
    assert row["updated_at"] >= since[:19]


def test_a_change_that_no_answer_shows_does_not_count(read: Api, connection: Connection) -> None:
    since = timezone.now().isoformat()
    Connection.objects.update(listed_at=timezone.now())
    Location.objects.update(fetched_at=timezone.now())
    assert read(updated_since=since).json()["results"] == []


def test_a_chain_that_is_learned_is_a_change(read: Api, telephony: Chain) -> None:
    Location.objects.update(chain=None)
    Connection.objects.update(updated_at=timezone.now() - timedelta(days=1))
    since = timezone.now().isoformat()
    adopt_chain(Connection.objects.select_related("location").get())
    (row,) = read(updated_since=since).json()["results"]
    assert row["salon_group_id"] == telephony.altegio_id


def test_pages_neither_skip_nor_repeat_while_rows_change(read: Api, connection: Connection) -> None:
    for number in range(5):
        place = Location.objects.create(altegio_id=900 + number)
        now = timezone.now()
        Connection.objects.create(
            application=connection.application, location=place, claim=f"x{number}",
            arrived_at=now, last_arrived_at=now, deadline_at=now,
        )  # fmt: skip
    give_calls()
    since = (timezone.now() - timedelta(days=2)).isoformat()
    page = read(updated_since=since, page_size=2).json()
    seen = [row["id"] for row in page["results"]]
    while page["next"]:
        Connection.objects.filter(pk__in=(min(seen), max(seen))).update(reason="changed meanwhile")
        page = read(page["next"]).json()
        seen += [row["id"] for row in page["results"]]
    assert seen == sorted(Connection.objects.values_list("pk", flat=True), reverse=True)


UNKNOWN = [
    "salon",
    "Salon_id",
    "offset",
    "limit",
    "page",
    "format",
    "ordering",
    "salon_id[]",
    "salon_id__in",
    "x\u0000",
]
WRONG = {
    "salon_id": ["", "0", "x", "-1", "1.0", "\u0661", "1" * 19, "1,2"],
    "application_id": ["", "one"],
    "state": ["", "granted", "ACTIVE", "active,frozen"],
    "status": ["", "paid", "Queued"],
    "connection": ["x"],
    "external_id": ["", "a\u0000", "x" * 201],
    "updated_since": [
        "",
        "yesterday",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "9999-12-31T23:59:59-14:00",
        "1767225600",
    ],
    "page_size": ["0", "1001"],
}
LISTS = {
    "connections/": {"salon_id", "application_id", "state", "updated_since", "external_id"},
    "payments/": {"salon_id", "application_id", "status", "updated_since", "external_id", "connection"},
}


def lists() -> list[str]:
    """Return every list of the API that is not below another row."""
    patterns = [each for each in (*marketplace_urls, *billing_urls) if "<" not in str(each.pattern)]
    return [
        str(each.pattern)
        for each in patterns
        if issubclass(getattr(each.callback, "view_class", object), ListModelMixin)
    ]


def test_the_lists_are_found() -> None:
    assert {*LISTS, "events/", "webhooks/", "sms/statuses/"} <= set(lists())


@pytest.mark.parametrize("path", lists())
def test_every_list_has_pages(client: Client, path: str) -> None:
    scopes = ["read", "billing", "sms", "telephony", "webhooks"]
    _key, secret = ApiKey.objects.create_key(name="reader", scopes=scopes)
    asked = [f"/api/v1/{path}?{query}" for query in ("page_size=2", "nonsense=1")]
    paged, refused = [client.get(each, headers={"Authorization": f"Api-Key {secret}"}) for each in asked]

    assert paged.status_code == 200
    (why,) = refused.json()["nonsense"]
    assert "cursor" in why
    assert "page_size" in why


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_parameter_is_refused_with_the_known_ones(read: Api, path: str, name: str) -> None:
    answer = read(path, **{name: "1"})
    assert answer.status_code == 400
    (why,) = answer.json()[name]
    assert all(known in why for known in LISTS[path])


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        (path, name, value)
        for path, known in LISTS.items()
        for name in WRONG
        for value in WRONG[name]
        if name in known
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write(read: Api, path: str, name: str, value: str) -> None:
    answer = read(path, **{name: value})
    assert answer.status_code == 400
    assert answer.json()[name][0].startswith("Write ")


def test_a_parameter_given_twice_is_refused(read: Api) -> None:
    assert read("/api/v1/payments/?salon_id=1&salon_id=2").json() == {"salon_id": ["Write this parameter once."]}


def test_every_wrong_parameter_is_named_at_once(read: Api) -> None:
    assert sorted(read("payments/", salon="1", status="x", connection="y").json()) == [
        "connection",
        "salon",
        "status",
    ]


@pytest.mark.parametrize(
    "written", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00.5+01:00"]
)
@pytest.mark.parametrize("encode", [urlencode, lambda asked: f"updated_since={asked['updated_since']}"])
def test_a_moment_is_read_as_addresses_carry_it(read: Api, connection: Connection, written: str, encode: Any) -> None:
    """In an unencoded address the zone's + is a space."""
    answer = read(f"/api/v1/connections/?{encode({'updated_since': written})}")
    assert len(answer.json()["results"]) == 1


def test_connections_are_narrowed_down(read: Api, connection: Connection, connect: Callable[..., Connection]) -> None:
    other = connect(10301)
    move(other, State.FROZEN, "no payment")
    for asked, expected in (
        ({"salon_id": 10301}, [other.pk]),
        ({"application_id": 1}, [other.pk, connection.pk]),
        ({"application_id": 77}, []),
        ({"state": "frozen"}, [other.pk]),
        ({"state": "frozen", "salon_id": 10101}, []),
        ({"state": "pending"}, []),
    ):
        assert [row["id"] for row in read(**asked).json()["results"]] == expected


def test_a_claim_that_waits_is_pending(read: Api, client: Client, altegio: Sandbox) -> None:
    marketplace.arrive(client, altegio, 10101)
    assert [row["state"] for row in read(state="pending").json()["results"]] == ["pending"]
