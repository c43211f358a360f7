"""What Altegio may have forgotten at a location is told anew to each connection that begins there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.intake import record_payment
from billing.models import Source
from billing.parsing import read_payment
from integrations.alerts.models import Alert
from integrations.chat.models import ChatPanel
from integrations.chat.panels import set_panel
from integrations.connections.models import Connection, State, SyncState
from integrations.connections.transitions import lock, move
from integrations.messaging.channels import switch_channel
from integrations.messaging.models import ChannelSwitch
from integrations.outbox.models import OutgoingCall
from integrations.sender_names.call_kinds import SendSenderNames
from integrations.sender_names.models import SenderNameList
from integrations.sender_names.names import replace_names
from integrations.status_sync.disconnect import disconnect
from sandbox import Sandbox
from tests.billing.conftest import JANUARY
from tests.integrations.interrupting import while_altegio_answers
from tests.marketplace import arrive
from tests.not_none import not_none
from tests.working import Work

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


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 404, "body": "<h1>Not found</h1>"}])
def test_set_up_without_a_clear_answer_holds_up_neither_a_payment_nor_the_end(
    altegio: Sandbox, connect: Callable[..., Connection], work: Work, fault: dict[str, Any]
) -> None:
    connection = connect(10101)
    altegio.fault("error", "install_frame", remaining=None, **fault)
    set_panel(connection, PANEL)
    work(rounds=1)
    record_payment(read_payment(JANUARY, needs_external_id=False), Source.API)
    disconnect(connection.pk, by=None, why="They leave.")
    work(rounds=3)
    assert len(altegio.requests("payment")) == 1
    assert Connection.objects.get().state == State.UNINSTALLED


def test_what_waits_for_the_activation_is_sent_after_it(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, 10101)
    granted = Connection.objects.get()
    replace_names(granted, ["Aurora"])
    assert not OutgoingCall.objects.filter(kind="short_names").exists()
    assert not SendSenderNames.untold(timezone.now()).exists()
    work()
    assert at_altegio(altegio)[2] == ["Aurora"]


def test_what_waited_for_an_activation_that_failed_is_known_to_be_sent_to_nobody(
    client: Client, altegio: Sandbox
) -> None:
    arrive(client, altegio, 10101)
    granted = Connection.objects.get()
    replace_names(granted, ["Aurora"])
    move(lock(granted.pk), State.EXPIRED, "Its hour is over.", ended_at=timezone.now())
    assert synced() == {("failed", "This location is not connected.")}


def test_what_was_refused_while_frozen_is_sent_again_once_it_is_active(
    altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    connection = connect(10101)
    move(lock(connection.pk), State.FROZEN, "Altegio says so.")
    connection.refresh_from_db()
    altegio.fault("error", "install_frame", status=403, remaining=1)
    set_panel(connection, PANEL)
    work()
    assert ChatPanel.objects.get().sync_state == SyncState.FAILED
    move(lock(connection.pk), State.ACTIVE, "Altegio says so.")
    work()
    assert at_altegio(altegio)[0] == PANEL
    assert not Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()


def test_the_alert_about_refused_set_up_ends_with_its_connection(
    altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    connection = connect(10101)
    altegio.fault("error", "install_frame", status=422, remaining=1)
    set_panel(connection, PANEL)
    work()
    assert Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()
    end(connection)
    assert not Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()


@pytest.fixture
def late_refusal(altegio: Sandbox, work: Work) -> Callable[[Connection, Callable[[], object]], None]:
    """Return a function: Altegio refuses the connection's new panel, and something happens before that is noted."""

    def run(connection: Connection, happen: Callable[[], object]) -> None:
        altegio.fault("error", "install_frame", status=403, remaining=1)
        set_panel(connection, PANEL)
        with while_altegio_answers("install_frame", happen):
            work(rounds=1)

    return run


def test_a_refusal_of_an_ended_connection_that_comes_late_says_nothing_of_the_next_one(
    altegio: Sandbox,
    connect: Callable[..., Connection],
    reconnect: Callable[[Connection], Connection],
    late_refusal: Callable[..., None],
) -> None:
    connection = connect(10101)

    def begin_anew() -> None:
        altegio.uninstall(10101)
        end(connection)
        reconnect(connection)

    late_refusal(connection, begin_anew)
    assert at_altegio(altegio)[0] == PANEL
    assert synced() == {("synced", "")}
    assert not Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()


def test_a_refusal_that_is_noted_after_the_end_opens_no_alert(
    connect: Callable[..., Connection], late_refusal: Callable[..., None]
) -> None:
    connection = connect(10101)
    late_refusal(connection, lambda: end(connection))
    assert synced() == {("failed", "This location is not connected.")}
    assert not Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()


def test_what_is_set_at_the_moment_of_the_end_is_sent_to_nobody(connect: Callable[..., Connection]) -> None:
    """The connection was read before its end."""
    connection = connect(10101)
    end(connection)
    set_all(connection)
    assert not OutgoingCall.objects.filter(kind__in=KINDS).exists()
    assert synced() == {("failed", "This location is not connected.")}


def test_a_call_of_an_ended_connection_that_goes_on_after_an_unclear_answer_is_not_sent(
    altegio: Sandbox, connect: Callable[..., Connection], reconnect: Callable[[Connection], Connection], work: Work
) -> None:
    connection = connect(10101)
    set_all(connection)
    left = OutgoingCall.objects.filter(kind__in=KINDS)
    keys = list(left.values_list("pk", flat=True))
    left.update(state="sending")
    end(connection)
    altegio.uninstall(10101)
    reconnect(connection)
    sent = [len(altegio.requests(name)) for name in CALLS]
    OutgoingCall.objects.filter(pk__in=keys).update(state="queued")
    work()
    assert [len(altegio.requests(name)) for name in CALLS] == sent == [1, 2, 1]
    assert set(OutgoingCall.objects.filter(pk__in=keys).values_list("state", flat=True)) == {"cancelled"}
    assert synced() == {("synced", "")}


def test_a_refusal_given_while_frozen_and_noted_once_it_is_active_is_sent_again(
    altegio: Sandbox, connect: Callable[..., Connection], late_refusal: Callable[..., None], work: Work
) -> None:
    connection = connect(10101)
    move(lock(connection.pk), State.FROZEN, "Altegio says so.")
    late_refusal(connection, lambda: move(lock(connection.pk), State.ACTIVE, "Altegio says so."))
    work()
    assert at_altegio(altegio)[0] == PANEL
    assert synced() == {("synced", "")}
    assert not Alert.objects.open().filter(kind=Alert.Kind.CALL).exists()


def test_what_waits_when_it_is_active_again_is_sent_once(
    altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    connection = connect(10101)
    move(lock(connection.pk), State.FROZEN, "Altegio says so.")
    set_all(connection)
    move(lock(connection.pk), State.ACTIVE, "Altegio says so.")
    work()
    assert [len(altegio.requests(name)) for name in CALLS] == [1, 2, 1]
