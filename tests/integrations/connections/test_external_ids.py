"""The partner's own id of a connection is stored, found and published (docs/interface.md)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.erasure import erase_person
from accounts.models import ApiKey, User
from accounts.proofs import link_altegio_user
from integrations.altegio.location_list import RemoteLocation
from integrations.connections.models import Connection, State
from integrations.connections.transitions import lock, move
from integrations.locations.call_kinds import remember
from integrations.partner_events.models import PartnerEvent
from sandbox import Sandbox
from tests import marketplace
from tests.not_none import not_none
from tests.response import Response

pytestmark = pytest.mark.django_db


def caller(*scopes: str) -> Client:
    """Return a system of the partner whose key has these scopes."""
    _key, secret = ApiKey.objects.create_key(name="billing", scopes=list(scopes), last_used_at=timezone.now())
    return Client(headers={"Authorization": f"Api-Key {secret}"})


def patch(connection: Connection, body: Any, *scopes: str) -> Response:
    partner = caller(*(scopes or ("customers",)))
    return partner.patch(f"/api/v1/connections/{connection.pk}/", json.dumps(body), "application/json")


def found(external_id: str) -> list[int]:
    answer = caller("read").get("/api/v1/connections/", {"external_id": external_id})
    return [row["id"] for row in answer.json()["results"]]


@pytest.fixture
def connection(connect: Callable[..., Connection]) -> Connection:
    """Return an accepted connection whose beginning has already been published."""
    made = connect()
    PartnerEvent.objects.all().delete()
    return made


def published() -> list[tuple[str, dict[str, Any]]]:
    bodies = [json.loads(event.body) for event in PartnerEvent.objects.order_by("pk")]
    return [(body["type"], body["data"]) for body in bodies]


def test_a_connection_is_found_by_the_id_that_it_was_given(connection: Connection) -> None:
    assert patch(connection, {"external_id": "Kunde 7/é"}).json()["external_id"] == "Kunde 7/é"
    assert found("Kunde 7/é") == [connection.pk]
    assert found("kunde 7/é") == []


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_id_clears_it(connection: Connection, nothing: str | None) -> None:
    patch(connection, {"external_id": "C-1"})
    assert patch(connection, {"external_id": nothing}).json()["external_id"] is None
    assert found("C-1") == []


@pytest.mark.parametrize("wrong", ["x" * 201, " C-1", "C-1 ", " ", "a\u0000b", "a\nb", 7.5, True, ["C-1"], {}])
def test_an_id_that_could_not_be_looked_for_is_refused(connection: Connection, wrong: object) -> None:
    answer = patch(connection, {"external_id": wrong})
    assert (answer.status_code, list(answer.json())) == (400, ["external_id"])


def test_the_id_must_be_named(connection: Connection) -> None:
    assert patch(connection, {"externalid": "C-1"}).json() == {"external_id": ["This field is required."]}


def test_writing_it_needs_the_scope_of_customers(connection: Connection) -> None:
    answer = patch(connection, {"external_id": "C-1"}, "read", "billing", "webhooks")
    assert answer.status_code == 403
    assert '"customers"' in answer.json()["detail"]
    assert caller("customers").get(f"/api/v1/connections/{connection.pk}/").status_code == 403


def test_an_unknown_connection_is_404(connection: Connection) -> None:
    connection.pk += 1000
    assert patch(connection, {"external_id": "C-1"}).status_code == 404


def test_a_new_id_is_published_once_as_the_api_shows_it(connection: Connection) -> None:
    shown = patch(connection, {"external_id": "C-1"}).json()
    patch(connection, {"external_id": "C-1"})

    assert published() == [("connection.changed", {"connection": shown, "previous_state": "active"})]


def rename(connection: Connection) -> None:
    remember([RemoteLocation(connection.location.altegio_id, "New name", "", "", "", "", "", "", "")])


def change_name(connection: Connection) -> None:
    browser = Client()
    browser.force_login(not_none(connection.owner))
    form = {"name": "Emma Other", "phone": "", "language": "en"}
    assert browser.post("/account/me/", form).status_code == 302


def link(connection: Connection) -> None:
    link_altegio_user(not_none(connection.owner), 555)


def erase(connection: Connection) -> None:
    erase_person(not_none(connection.owner))


CHANGES: dict[str, tuple[Callable[[Connection], None], str, object]] = {
    "title": (rename, "title", "New name"),
    "name": (change_name, "owner_name", "Emma Other"),
    "linked": (link, "owner_altegio_user_id", marketplace.EMMA),
    "erased": (erase, "owner_email", None),
}


@pytest.mark.parametrize(("change", "field", "value"), CHANGES.values(), ids=CHANGES)
def test_another_owner_or_title_is_published(
    connection: Connection, change: Callable[[Connection], None], field: str, value: object
) -> None:
    since = timezone.now().isoformat()
    change(connection)

    kind, data = published()[-1]
    assert (kind, data["connection"][field], data["previous_state"]) == ("connection.changed", value, "active")
    read = caller("read").get("/api/v1/connections/", {"updated_since": since}).json()["results"]
    assert {**read[0], "updated_at": None} == {**data["connection"], "updated_at": None}


def test_the_owner_is_shown_once_altegio_has_bound_them(client: Client, altegio: Sandbox) -> None:
    marketplace.arrive(client, altegio, marketplace.AURORA_1)
    (claim,) = caller("read").get("/api/v1/connections/").json()["results"]
    assert {claim[name] for name in claim if name.startswith("owner_")} == {None}


def test_the_api_shows_the_owner_and_the_outcome(connection: Connection) -> None:
    owner = not_none(connection.owner)
    move(lock(connection.pk), State.FROZEN, "No payment came.")
    frozen = caller("read").get(f"/api/v1/connections/{connection.pk}/").json()
    assert (frozen["owner_id"], frozen["owner_name"], frozen["owner_phone"]) == (owner.pk, owner.name, owner.phone)
    assert (frozen["reason"], frozen["ended_at"]) == ("No payment came.", None)
    assert frozen["owner_altegio_user_id"] == marketplace.EMMA
    assert frozen["frozen_at"] is not None

    move(lock(connection.pk), State.ACTIVE, "It was paid.")
    assert caller("read").get(f"/api/v1/connections/{connection.pk}/").json()["frozen_at"] is None


def test_an_erased_owner_leaves_no_id_in_events(connection: Connection) -> None:
    patch(connection, {"external_id": "C-1"})
    erase(connection)

    assert {data["connection"]["external_id"] for _kind, data in published()} == {None}
    assert found("C-1") == []


def test_more_owners_cost_no_more_queries(
    connection: Connection, connect: Callable[..., Connection], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    partner = caller("read")
    with django_assert_num_queries(4):
        partner.get("/api/v1/connections/")
    for number, salon_id in enumerate((10102, 10103)):
        other = connect(salon_id)
        Connection.objects.filter(pk=other.pk).update(owner=User.objects.create(email=f"o{number}@owner.example"))
        link_altegio_user(User.objects.get(email=f"o{number}@owner.example"), 700 + number)
    with django_assert_num_queries(4):
        assert len(partner.get("/api/v1/connections/").json()["results"]) == 3
