"""A message that comes while its connection is unfrozen or connected anew is taken, or Altegio is to try again."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from integrations.connections.models import Connection, State
from integrations.messaging import message_intake
from integrations.messaging.message_senders import Place, sender_at
from integrations.messaging.models import RequestedMessage
from tests.integrations.messaging.requesting import many, message, request_message, take_messages_of
from tests.response import Response

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Callable[..., Connection], settings: Settings) -> Connection:
    connection = connect(10101)
    settings.ALTEGIO_APP_URL = "https://app.alteg.io"
    return connection


@pytest.fixture
def post(client: Client, connection: Connection) -> Callable[..., Response]:
    """`post("s1")`: Altegio hands this message over."""
    key = take_messages_of(connection)
    return lambda *args, **fields: request_message(client, key, message(*args, **fields))


def become(connection: Connection, state: State) -> None:
    Connection.objects.filter(pk=connection.pk).update(state=state)


def take_the_place_of(connection: Connection) -> None:
    successor = Connection.objects.get(pk=connection.pk)
    successor.pk, successor.state = None, State.ACTIVE
    successor.save()


def before_the_look(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], None], then: Callable[[], None]) -> None:
    """`happen()` between the statement that stores and the look at the connection, `then()` after the look."""

    def look(place: Place) -> tuple[int, str]:
        happen()
        found = sender_at(place)
        then()
        return found

    monkeypatch.setattr(message_intake, "sender_at", look)


def nothing() -> None:
    """It stays as it is."""


@pytest.mark.parametrize("before", [State.FROZEN, State.UNINSTALLED])
def test_what_was_not_stored_because_of_a_state_that_is_over_is_stored(
    connection: Connection, post: Callable[..., Response], monkeypatch: pytest.MonkeyPatch, before: State
) -> None:
    become(connection, before)
    before_the_look(monkeypatch, lambda: become(connection, State.ACTIVE), nothing)
    answer = post(destination_params=many(3))
    assert answer.status_code == 200
    keys = [item["ext_id"] for item in answer.json()]
    assert keys == [str(pk) for pk in RequestedMessage.objects.order_by("pk").values_list("pk", flat=True)]
    assert len(keys) == 3


def test_what_a_new_connection_in_the_place_of_an_ended_one_takes_is_stored_there(
    connection: Connection, post: Callable[..., Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    post("s1")
    become(connection, State.UNINSTALLED)
    before_the_look(monkeypatch, lambda: take_the_place_of(connection), nothing)
    assert post("s2").status_code == 200
    newest = RequestedMessage.objects.latest("pk")
    assert (newest.send_id, newest.connection_id) == ("s2", Connection.objects.latest("pk").pk)


def test_what_could_not_be_stored_again_is_to_come_again(
    connection: Connection, post: Callable[..., Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state changes back and forth around both statements."""
    become(connection, State.FROZEN)
    before_the_look(monkeypatch, lambda: become(connection, State.ACTIVE), lambda: become(connection, State.FROZEN))
    answer = post("s1")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json() == {"detail": "Not stored: try again."}
    assert not RequestedMessage.objects.exists()


def test_what_was_stored_before_the_connection_froze_is_not_called_refused(
    connection: Connection, post: Callable[..., Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is new and stored, one stands there already: the look at it finds the connection frozen."""
    post("s1")
    before_the_look(monkeypatch, lambda: become(connection, State.FROZEN), nothing)
    new, former = post(destination_params=[{"id": "s2", "phone": "1"}, {"id": "s1", "phone": "1"}]).json()
    assert new["ext_id"] == str(RequestedMessage.objects.get(send_id="s2").pk)
    assert "frozen" in former["error_message"]
