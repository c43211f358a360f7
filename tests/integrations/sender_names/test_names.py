"""Sender names: Altegio always gets the whole list as it is at the moment of sending."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from integrations.connections.models import Connection, State
from integrations.connections.transitions import lock, move
from integrations.outbox.models import OutgoingCall
from integrations.sender_names.models import SenderName, SenderNameList
from integrations.sender_names.names import (
    ask_for_name,
    give_name,
    names_in_force,
    names_of,
    replace_names,
    withdraw_name,
    withdraw_run_out,
)
from sandbox import Sandbox
from tests.not_none import not_none
from tests.response import Api

pytestmark = pytest.mark.django_db
NAMES = "locations/10101/sender-names/"


def at_altegio(altegio: Sandbox) -> list[str]:
    return not_none(altegio.connection(10101)).short_names


def test_a_list_that_was_never_sent_is_not_called_synced(api: Api, connect: Callable[..., Connection]) -> None:
    connect(10101)
    assert api("get", NAMES).json() == {"names": [], "sync_state": None, "error": ""}


def test_the_list_is_put_and_reaches_altegio(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    connect(10101)
    answer = api("put", NAMES, {"names": ["Aurora", "4420791234"]})
    assert answer.status_code == 202
    assert answer.json() == {"names": ["Aurora", "4420791234"], "sync_state": "queued", "error": ""}

    work()

    assert at_altegio(altegio) == ["Aurora", "4420791234"]
    assert api("get", NAMES).json() == {"names": ["Aurora", "4420791234"], "sync_state": "synced", "error": ""}


def test_the_newest_list_replaces_the_one_before(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    connect(10101)
    api("put", NAMES, {"names": ["One", "Two", "Three"]})
    work()
    api("put", NAMES, {"names": ["Three", "Four", "One"]})
    work()
    assert at_altegio(altegio) == ["Three", "Four", "One"]
    assert SenderName.objects.get(name="Two").state == "withdrawn"


@pytest.mark.django_db(transaction=True)
def test_1000_changes_become_one_call(
    altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    connection = connect(10101)
    for number in range(1000):
        replace_names(connection, [f"Name{number}"])
    work()
    assert at_altegio(altegio) == ["Name999"]
    assert len(altegio.requests("short_names")) == 1


def test_a_change_during_a_retry_wins(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    connect(10101)
    altegio.fault("drop_before", "short_names", remaining=1)
    api("put", NAMES, {"names": ["Old"]})
    work(rounds=1)
    api("put", NAMES, {"names": ["New"]})
    work()
    assert at_altegio(altegio) == ["New"]
    assert api("get", NAMES).json()["sync_state"] == "synced"


def test_what_a_gateway_gave_up_on_comes_after_no_newer_list(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None], settings: Settings
) -> None:
    settings.ALTEGIO_SETTLING_SECONDS = 20
    connect(10101)
    altegio.fault("gateway_timeout", "short_names", seconds=0.3)
    api("put", NAMES, {"names": ["Old"]})
    work(rounds=1)
    api("put", NAMES, {"names": ["New"]})
    work(rounds=1)
    call = OutgoingCall.objects.get(kind="short_names", state="queued")
    assert call.due_at > timezone.now() + timedelta(seconds=15)
    assert len(altegio.requests("short_names")) == 1


def test_an_uncertain_end_is_repeated(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    connect(10101)
    altegio.fault("drop_after", "short_names", remaining=1)
    api("put", NAMES, {"names": ["Aurora"]})
    work()
    assert len(altegio.requests("short_names")) == 2
    assert api("get", NAMES).json()["sync_state"] == "synced"


def test_altegios_refusal_is_shown(
    api: Api, altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    connect(10101)
    altegio.uninstall(10101)
    api("put", NAMES, {"names": ["Aurora"]})
    work()
    answer = api("get", NAMES).json()
    assert answer["sync_state"] == "failed"
    assert "not installed" in answer["error"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Aurora", "Медведь"], {"1": ["Altegio takes no Cyrillic letters in a sender name."]}),
        (["Aurora", "Aurora"], {"1": ["This name is there twice."]}),
        ([f"N{number}" for number in range(21)], ["At most 20 sender names."]),
        ("Aurora", ["Send the whole list of names."]),
    ],
)
def test_a_wrong_list_is_refused_with_the_reason(
    api: Api, connect: Callable[..., Connection], names: Any, expected: Any
) -> None:
    connect(10101)
    answer = api("put", NAMES, {"names": names})
    assert (answer.status_code, answer.json()) == (400, {"names": expected})
    assert not SenderName.objects.exists()


def test_the_empty_list_is_explained(api: Api, connect: Callable[..., Connection]) -> None:
    connect(10101)
    answer = api("put", NAMES, {"names": []})
    assert answer.status_code == 400
    assert "takes no empty list" in answer.json()["names"][0]


@pytest.mark.parametrize("salon_id", ["99999", "0", "abc", "9" * 30])
def test_an_unknown_location_is_not_found(api: Api, connect: Callable[..., Connection], salon_id: str) -> None:
    connect(10101)
    assert api("get", f"locations/{salon_id}/sender-names/").status_code == 404
    assert api("put", f"locations/{salon_id}/sender-names/", {"names": ["Aurora"]}).status_code == 404


def test_a_name_that_runs_out_is_withdrawn_by_itself(
    altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    names = names_of(connect(10101))
    give_name(names, "Aurora")
    give_name(names, "Summer", bought=True, valid_until=timezone.now() + timedelta(seconds=-1))
    work()
    assert at_altegio(altegio) == ["Aurora", "Summer"]

    assert withdraw_run_out() == 1
    work()

    assert at_altegio(altegio) == ["Aurora"]
    assert withdraw_run_out() == 0
    assert SenderName.objects.get(name="Summer").state == "ran_out"


def test_withdrawing_the_last_name_sends_nothing_and_says_why(
    altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    names = names_of(connect(10101))
    only = give_name(names, "Aurora")
    work()
    assert withdraw_name(only)
    work()

    names.refresh_from_db()
    assert (names.sync_state, at_altegio(altegio)) == ("failed", ["Aurora"])
    assert "takes no empty list" in names.sync_error
    assert len(altegio.requests("short_names")) == 1


def test_an_asked_for_name_is_not_in_force_until_it_is_granted(
    altegio: Sandbox, connect: Callable[..., Connection], work: Callable[..., None]
) -> None:
    names = names_of(connect(10101))
    ask_for_name(names, "Aurora")
    ask_for_name(names, "Aurora")
    assert names_in_force(names) == []
    give_name(names, "Aurora")
    work()
    assert at_altegio(altegio) == ["Aurora"]
    assert SenderName.objects.count() == 1


def test_a_reconnection_gets_the_names_of_its_location(
    altegio: Sandbox,
    connect: Callable[..., Connection],
    reconnect: Callable[[Connection], Connection],
    work: Callable[..., None],
) -> None:
    connection = connect(10101)
    replace_names(connection, ["Aurora"])
    work()
    altegio.uninstall(10101)
    reconnect(connection)

    assert at_altegio(altegio) == ["Aurora"]
    assert len(altegio.requests("short_names")) == 2
    assert SenderNameList.objects.get().sync_state == "synced"


def test_names_that_waited_when_the_connection_ended_are_known_to_be_told_to_nobody(
    connect: Callable[..., Connection],
) -> None:
    connection = connect(10101)
    replace_names(connection, ["Aurora"])
    move(lock(connection.pk), State.UNINSTALLED, "The owner disconnects.", ended_at=timezone.now())
    assert OutgoingCall.objects.get(kind="short_names").state == "cancelled"
    names = SenderNameList.objects.get()
    assert (names.sync_state, names.sync_error) == ("failed", "This location is not connected.")


def test_the_owner_asks_on_their_page(client: Client, connect: Callable[..., Connection]) -> None:
    connection = connect(10101)
    client.force_login(not_none(connection.owner))
    page = client.post(f"/account/sender-names/{connection.pk}/", {"name": "Aurora"}, follow=True)
    assert b"asked for" in page.content
    refused = client.post(f"/account/sender-names/{connection.pk}/", {"name": "Медведь"}, follow=True)
    assert b"Cyrillic" in refused.content
    assert SenderName.objects.get().state == "asked"


def test_nobody_asks_for_another_persons_location(
    client: Client, connect: Callable[..., Connection], django_user_model: type[User]
) -> None:
    connection = connect(10101)
    client.force_login(django_user_model.objects.create_user("charlie@example.com", "p"))
    assert client.post(f"/account/sender-names/{connection.pk}/", {"name": "Aurora"}).status_code == 404
    assert not SenderName.objects.exists()
