"""What Altegio may have forgotten at a location is told anew to each connection that begins there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.chat.models import ChatPanel
from integrations.chat.panels import set_panel
from integrations.connections.models import Connection, State
from integrations.connections.transitions import lock, move
from integrations.messaging.channels import switch_channel
from integrations.messaging.models import ChannelSwitch
from integrations.outbox.models import OutgoingCall
from integrations.sender_names.models import SenderNameList
from integrations.sender_names.names import replace_names
from sandbox import Sandbox
from tests.not_none import not_none

pytestmark = pytest.mark.django_db
PANEL = "https://chat.example.com/panel"
ROWS: tuple[Any, ...] = (ChatPanel, ChannelSwitch, SenderNameList)
KINDS = ("chat_panel", "update_channel", "short_names")
CALLS = ("install_frame", "channel", "short_names")


def set_all(connection: Connection) -> None:
    set_panel(connection, PANEL)
    switch_channel(connection, ChannelSwitch.Slug.SMS, is_available=False)
    switch_channel(connection, ChannelSwitch.Slug.WHATSAPP, is_available=True)
    replace_names(connection, ["Aurora"])


def at_altegio(altegio: Sandbox) -> tuple[str | None, dict[str, bool], list[str]]:
    account = not_none(altegio.connection(10101))
    return account.chat_panel, account.channels, account.short_names


def synced() -> set[tuple[str, str]]:
    return {row for model in ROWS for row in model.objects.values_list("sync_state", "sync_error")}


def end(connection: Connection) -> None:
    move(lock(connection.pk), State.UNINSTALLED, "The owner disconnects.", ended_at=timezone.now())


@pytest.fixture
def connected(connect: Callable[..., Connection], work: Callable[..., None]) -> Connection:
    """A connection with all that Altegio is told of."""
    connection: Connection = connect(10101)
    set_all(connection)
    work()
    return connection


def test_a_reconnection_gets_what_its_location_has(
    altegio: Sandbox, connected: Connection, reconnect: Callable[[Connection], Connection]
) -> None:
    as_set = at_altegio(altegio)
    assert as_set == (PANEL, {"sms": False, "whatsapp": True}, ["Aurora"])
    altegio.uninstall(10101)
    assert at_altegio(altegio) == (None, {}, [])
    reconnect(connected)

    assert at_altegio(altegio) == as_set
    assert [len(altegio.requests(name)) for name in CALLS] == [2, 4, 2]
    assert synced() == {("synced", "")}


def test_also_one_that_had_not_ended_after_all_gets_it(
    altegio: Sandbox, connected: Connection, work: Callable[..., None]
) -> None:
    end(connected)
    not_none(altegio.world.connection(1, 10101)).chat_panel = None
    move(lock(connected.pk), State.ACTIVE, "Altegio says that it had not ended.", ended_at=None)
    work()
    assert at_altegio(altegio)[0] == PANEL


def test_what_waited_when_the_connection_ended_is_known_to_be_told_to_nobody(
    connect: Callable[..., Connection], altegio: Sandbox, reconnect: Callable[[Connection], Connection]
) -> None:
    connection = connect(10101)
    set_all(connection)
    end(connection)
    assert set(OutgoingCall.objects.filter(kind__in=KINDS).values_list("state", flat=True)) == {"cancelled"}
    assert synced() == {("failed", "This location is not connected.")}
    altegio.uninstall(10101)
    reconnect(connection)
    assert at_altegio(altegio) == (PANEL, {"sms": False, "whatsapp": True}, ["Aurora"])
    assert synced() == {("synced", "")}


def test_what_altegio_has_stays_so_at_the_end_and_when_it_is_frozen_and_paid_for(
    connected: Connection, work: Callable[..., None]
) -> None:
    calls = OutgoingCall.objects.filter(kind__in=KINDS).count()
    for state in (State.FROZEN, State.ACTIVE):
        move(lock(connected.pk), state, "Altegio says so.")
    end(connected)
    assert synced() == {("synced", "")}
    assert OutgoingCall.objects.filter(kind__in=KINDS).count() == calls


def test_an_activation_where_there_is_nothing_to_tell_asks_once_however_many_kinds_there_are(
    connect: Callable[..., Connection],
) -> None:
    with CaptureQueriesContext(database) as captured:
        connect(10101)
    tables = [model._meta.db_table for model in ROWS]
    asked = [query["sql"] for query in captured if any(f'FROM "{table}"' in query["sql"] for table in tables)]
    assert len(asked) == 1
