"""Changes of connections, sender names and messages are published as the API shows them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.erasure import erase_person
from accounts.models import AltegioIdentity, User
from billing.models import PeriodNotice
from integrations.api.connections import ConnectionSerializer
from integrations.api.publishers import publish_changes, publish_details, publish_period
from integrations.connections.models import Connection, State, SyncState
from integrations.connections.transitions import Change, changing_details, lock, move, move_each
from integrations.location_profiles.models import LocationPerson
from integrations.messaging.message_feed import place_waiting
from integrations.messaging.models import RequestedMessage
from integrations.partner_events import types
from integrations.partner_events.endpoints import new_endpoint
from integrations.partner_events.models import NamedPerson, PartnerEvent
from integrations.sender_names.models import SenderNameList
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.integrations.messaging.requesting import PHONE, TEXT, message, request_message, take_messages_of
from tests.integrations.partner_events.conftest import Partner, due_now, go_out
from tests.marketplace import AURORA_1, AURORA_2, EMMAS_EMAIL, MARIA, arrive, follow
from tests.not_none import not_none
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(client: Client, altegio: Sandbox, work: Work) -> Connection:
    """Return a live connection whose beginning is not published any more."""
    arrive(client, altegio, AURORA_1)
    work()
    PartnerEvent.objects.all().delete()
    return Connection.objects.get()


def published() -> list[tuple[str, dict[str, Any]]]:
    return [(event.type, json.loads(event.body)["data"]) for event in PartnerEvent.objects.order_by("pk")]


def test_each_change_of_a_connection_is_published(live: Connection, altegio: Sandbox, work: Work, api: Api) -> None:
    altegio.freeze(AURORA_1)
    ask_status(live)
    work()
    altegio.pay(AURORA_1)
    ask_status(live)
    work()
    altegio.uninstall(AURORA_1)
    ask_status(live)
    work()

    turns = [
        (kind, data["previous_state"], data["connection"]["state"])
        for kind, data in published()
        if "connection" in data
    ]
    assert turns == [
        ("connection.frozen", "active", "frozen"),
        ("connection.unfrozen", "frozen", "active"),
        ("connection.uninstalled", "active", "uninstalled"),
    ]
    shown = api("get", f"connections/{live.pk}/").json()
    last = published()[-1][1]["connection"]
    assert {**last, "updated_at": None} == {**shown, "updated_at": None}


def test_a_claim_that_waits_again_publishes_nothing(live: Connection) -> None:
    move(live, State.UNINSTALLED, "for the test")
    PartnerEvent.objects.all().delete()
    claim = Connection.objects.create(
        application=live.application,
        location=live.location,
        state=State.EXPIRED,
        claim="a:1",
        arrived_at=live.arrived_at,
        last_arrived_at=live.arrived_at,
        deadline_at=live.deadline_at,
    )
    move(lock(claim.pk), State.GRANTED, "Staff try once more.", by=None)

    assert published() == []
    Connection.objects.filter(pk=claim.pk).delete()


def test_a_claim_that_begins_in_conflict_is_published(live: Connection, client: Client, altegio: Sandbox) -> None:
    """Somebody else arrives for a location that its owner holds."""
    follow(client, altegio, AURORA_1, MARIA)

    [(kind, data)] = published()
    assert (kind, data["previous_state"], data["connection"]["state"]) == ("connection.conflict", None, "conflict")
    assert data["connection"]["id"] != live.pk


def test_publishing_takes_constant_queries_for_any_number_of_changes(
    client: Client, altegio: Sandbox, work: Work, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    changes = [Change(each, State.ACTIVE, State.FROZEN) for each in Connection.objects.all()]
    with django_assert_num_queries(5):
        publish_changes(changes)


def test_the_fields_of_an_event_are_not_built_for_each(live: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[ConnectionSerializer] = []
    as_before = ConnectionSerializer.get_fields

    def get_fields(made: ConnectionSerializer) -> Any:
        built.append(made)
        return as_before(made)

    monkeypatch.setattr(ConnectionSerializer, "get_fields", get_fields)
    for _ in range(3):
        publish_details([live.pk])
    assert len(built) <= 1


@pytest.mark.parametrize(
    ("state", "kind"), [(SyncState.SYNCED, "sender_names.synced"), (SyncState.FAILED, "sender_names.failed")]
)
def test_sender_names_are_published_when_altegio_has_answered(live: Connection, state: Any, kind: str) -> None:
    names = SenderNameList.objects.create(installation=live.installation)
    names.set_sync(SyncState.QUEUED)
    names.set_sync(state, "why")

    assert published() == [(kind, {"salon_id": AURORA_1, "names": [], "sync_state": state, "error": "why"})]


@pytest.mark.leaves_stranded("what is refused waits")
def test_events_about_sender_names_stay_in_order(live: Connection, partner: Partner) -> None:
    endpoint = new_endpoint(partner.url, [], None, "")
    names = SenderNameList.objects.create(installation=live.installation)
    names.set_sync(SyncState.FAILED, "why")
    names.set_sync(SyncState.SYNCED)
    partner.answers = [500]
    go_out()
    due_now()
    go_out()

    assert [each["type"] for each in partner.verified(endpoint.secret)] == [
        *("sender_names.failed", "sender_names.failed", "sender_names.synced")
    ]


def test_a_message_is_published_once_as_the_api_shows_it(
    live: Connection, client: Client, api: Api, settings: Settings
) -> None:
    settings.ALTEGIO_APP_URL = "https://app.alteg.io"
    key = take_messages_of(live)
    request_message(client, key, message("s1"))
    request_message(client, key, message("s1"))
    place_waiting()
    place_waiting()

    [(kind, data)] = published()
    assert kind == "message.requested"
    assert [data["message"]] == api("get", "sms/messages/").json()["results"]


def test_many_connections_move_together_and_are_published(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    PartnerEvent.objects.all().delete()
    move_each(list(Connection.objects.order_by("pk")), State.FROZEN, "for the test")

    assert [kind for kind, _data in published()] == ["connection.frozen"] * 2


def test_an_erased_owner_leaves_no_clients_in_events(live: Connection, client: Client, settings: Settings) -> None:
    """Their messages are emptied too; an event under way keeps what it needs."""
    settings.ALTEGIO_APP_URL = "https://app.alteg.io"
    key = take_messages_of(live)
    for send_id in ("s1", "s2"):
        request_message(client, key, message(send_id))
    place_waiting()
    RequestedMessage.objects.filter(send_id="s1").update(state="delivered")
    erase_person(not_none(live.owner))

    first, second = (data["message"] for kind, data in published() if kind == "message.requested")
    assert (first["phone"], first["text"], first["sender_name"]) == ("", "", "")
    assert (second["phone"], second["text"]) == (PHONE, TEXT)


def test_an_erased_person_is_removed_from_events_about_locations(live: Connection) -> None:
    ids = [11, 12]
    AltegioIdentity.objects.create(user=not_none(live.owner), altegio_user_id=11)
    for each in ids:
        LocationPerson.objects.create(location=live.location, altegio_user_id=each, name=f"P{each}")
    move(live, State.FROZEN, "for the test")
    erase_person(not_none(live.owner))

    people = published()[-1][1]["connection"]["location"]["people"]
    assert [person["altegio_user_id"] for person in people] == [12]


def test_an_erased_owner_stands_in_no_event(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    assert published()[0][1]["connection"]["owner_email"] == EMMAS_EMAIL

    erase_person(User.objects.get())

    assert {kind for kind, _data in published()} == {"connection.activated", "connection.changed"}
    assert {data["connection"]["owner_email"] for _kind, data in published()} == {None}
    assert all(EMMAS_EMAIL not in event.body for event in PartnerEvent.objects.all())


@pytest.mark.parametrize("kind", PeriodNotice.Kind)
def test_an_erased_owner_stands_in_no_event_about_a_period(live: Connection, kind: PeriodNotice.Kind) -> None:
    publish_period(live, kind)
    assert EMMAS_EMAIL in repr(published())
    erase_person(not_none(live.owner))
    assert EMMAS_EMAIL not in repr(published())


def test_an_erased_former_owner_stands_in_no_event(live: Connection) -> None:
    """The events are about the connection that is another's by then; what they say of that person stays."""
    emma, maria = not_none(live.owner), User.objects.create_user("maria@medved.example")
    move(live, State.FROZEN, "for the test")
    with changing_details(Connection.objects.all()):
        Connection.objects.update(owner=maria, claimant=maria)
    erase_person(emma)
    assert [data["connection"]["owner_email"] for _kind, data in published()] == [None, maria.email]


def test_an_erased_person_stands_in_no_event_of_a_location_they_left(live: Connection) -> None:
    maria = User.objects.create_user("maria@medved.example")
    AltegioIdentity.objects.create(user=maria, altegio_user_id=11)
    LocationPerson.objects.create(location=live.location, altegio_user_id=11, name="Maria")
    move(live, State.FROZEN, "for the test")
    LocationPerson.objects.all().delete()
    erase_person(maria)
    assert "Maria" not in repr(published())
    assert EMMAS_EMAIL in repr(published())


def test_the_connection_says_whom_events_of_an_earlier_version_name(live: Connection) -> None:
    move(live, State.FROZEN, "for the test")
    publish_period(live, PeriodNotice.Kind.OVERDUE)
    NamedPerson.objects.all().delete()
    erase_person(not_none(live.owner))
    assert EMMAS_EMAIL not in repr(published())


def test_the_document_and_the_list_name_the_same_types() -> None:
    page = Path("docs/interface.md").read_text(encoding="utf-8").partition("### 5a.")[2].partition("| call |")[0]
    rows = [line for line in page.splitlines() if line.startswith("| `")]

    assert {name for row in rows for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", row.split("|")[1])} == set(types.ALL)
