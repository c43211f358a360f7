"""Whose key does Altegio send with; and replacing it."""

from collections.abc import Callable

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from integrations.activation.models import TakenSettings
from integrations.connections.models import Connection, Installation, State
from integrations.messaging.api_keys import replace_api_key, void_other_keys
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.not_none import not_none
from tests.response import Api, Response

pytestmark = pytest.mark.django_db
RESOLVE = "connections/resolve-api-key/"


def resolve(api: Api, key: str) -> Response:
    return api("post", RESOLVE, {"api_key": key})


def test_the_key_sent_at_activation_leads_to_its_connection(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection]
) -> None:
    connection = connect(10101)
    key = not_none(not_none(altegio.connection(10101)).api_key)
    answer = resolve(api, key)
    assert (answer.status_code, answer.json()["id"], answer.json()["salon_id"]) == (200, connection.pk, 10101)
    assert resolve(api, key + "x").status_code == 404
    assert resolve(api, "").status_code == 400


@pytest.mark.parametrize(("kind", "gets_one"), [("sms", True), ("chat_bot", True), ("telephony", False)])
def test_aggregators_and_chat_bots_send_a_key_at_activation(
    connect: Callable[..., Connection], altegio: Sandbox, kind: str, gets_one: bool
) -> None:
    connect(10101, kind=kind)

    assert bool(not_none(altegio.connection(10101)).api_key) is gets_one


def test_it_costs_the_same_with_many_connections(
    api: Api,
    altegio: Sandbox,
    connect: Callable[..., Connection],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first = connect(10101)
    key = first.installation.api_key
    with django_assert_num_queries(6):  # key, place, connections, location, people, the owner's Altegio users
        resolve(api, key)
    for salon_id in (10102, 10201, 10202):
        connect(salon_id)
    with django_assert_num_queries(6):
        assert resolve(api, key).json()["id"] == first.pk


def test_the_live_connection_is_meant_and_else_the_newest(
    api: Api,
    altegio: Sandbox,
    connect: Callable[..., Connection],
    reconnect: Callable[[Connection], Connection],
) -> None:
    first = connect(10101)
    altegio.uninstall(10101)
    second = reconnect(first)
    key = second.installation.api_key
    assert resolve(api, key).json()["id"] == second.pk
    Connection.objects.filter(pk=second.pk).update(state=State.UNINSTALLED)
    assert resolve(api, key).json()["id"] == second.pk
    Connection.objects.filter(pk=first.pk).update(state=State.ACTIVE)
    assert resolve(api, key).json()["id"] == first.pk


def test_a_replaced_key_is_resolved_until_altegio_has_the_new_one(
    api: Api,
    altegio: Sandbox,
    connect: Callable[..., Connection],
    reconnect: Callable[[Connection], Connection],
) -> None:
    connection = connect(10101)
    old = not_none(not_none(altegio.connection(10101)).api_key)
    replace_api_key(connection)
    new = connection.installation.api_key

    assert new != old
    assert resolve(api, old).json()["id"] == connection.pk
    assert resolve(api, new).json()["id"] == connection.pk
    altegio.uninstall(10101)
    second = reconnect(connection)
    assert not_none(altegio.connection(10101)).api_key == new
    assert resolve(api, new).json()["id"] == second.pk
    assert resolve(api, old).status_code == 404
    assert Installation.objects.count() == 1


@pytest.fixture
def reconnected(
    altegio: Sandbox,
    connect: Callable[..., Connection],
    reconnect: Callable[[Connection], Connection],
    work: Callable[..., None],
) -> Callable[[], tuple[str, str]]:
    """Connects anew after the key was replaced, as Altegio is by then. Returns the former and the new key."""
    connection = connect(10101)
    former = connection.installation.api_key
    replace_api_key(connection)
    altegio.uninstall(10101)
    ask_status(connection)
    work()

    def run() -> tuple[str, str]:
        return former, reconnect(connection).installation.api_key

    return run


def known(api: Api, *keys: str) -> list[bool]:
    return [resolve(api, key).status_code == 200 for key in keys]


def test_a_key_that_altegio_never_took_makes_the_former_one_void_only_once_its_status_shows_it(
    api: Api, altegio: Sandbox, reconnected: Callable[[], tuple[str, str]], work: Callable[..., None]
) -> None:
    """A private application is active at the grant and refuses the activation, which carries the new key."""
    altegio.set_application(1, private=True)
    former, new = reconnected()
    newest = Connection.objects.latest("pk")
    assert (newest.state, known(api, former, new)) == (State.ACTIVE, [True, True])

    at_altegio = not_none(altegio.world.connection(1, 10101))
    for recorded, voids in ((former, False), (new, True)):
        at_altegio.api_key = recorded
        ask_status(newest)
        work()
        assert known(api, former, new) == [not voids, True]


def test_a_replaced_key_is_void_once_altegio_has_the_new_one_though_all_was_taken_before_too(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    """Altegio's support enters the new key before the portal asks again, so no difference is ever seen."""
    connection = connect(10101)
    former = connection.installation.api_key
    ask_status(connection)
    work()
    assert TakenSettings.objects.get().state == TakenSettings.State.TAKEN
    replace_api_key(connection)
    new = Installation.objects.get().api_key
    not_none(altegio.world.connection(1, 10101)).api_key = new
    assert known(api, former, new) == [True, True]
    ask_status(connection)
    work()
    assert known(api, former, new) == [False, True]


def test_after_a_lost_answer_both_keys_stand_until_the_status_shows_the_new_one(
    api: Api, altegio: Sandbox, reconnected: Callable[[], tuple[str, str]], work: Callable[..., None]
) -> None:
    altegio.fault("drop_after", "activate")
    former, new = reconnected()
    newest = Connection.objects.latest("pk")
    assert (newest.state, known(api, former, new)) == (State.ACTIVE, [True, True])
    ask_status(newest)
    work()
    assert known(api, former, new) == [False, True]


def test_a_key_that_altegio_shows_is_kept_though_it_is_being_replaced(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection]
) -> None:
    connection = connect(10101)
    shown = connection.installation.api_key
    replace_api_key(connection)
    void_other_keys(connection, shown)
    assert known(api, shown) == [True]
