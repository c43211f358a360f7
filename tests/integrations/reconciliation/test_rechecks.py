"""A change without a callback is found by asking, soon after a period ends and in the general round."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from integrations.connections.models import Connection
from integrations.outbox.models import OutgoingCall
from integrations.reconciliation.rechecks import ended_periods, oldest_first, recheck
from sandbox import Sandbox
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(connect: Callable[..., Connection], altegio: Sandbox) -> Connection:
    """Return a connection that was asked about just now and is paid for long to come."""
    found: Connection = connect(10101)
    set_back(found, asked=timedelta(0), ended=timedelta(days=-20))
    return found


def set_back(connection: Connection, *, asked: timedelta, ended: timedelta) -> None:
    now = timezone.now()
    at = {"status_asked_at": now - asked, "next_payment_at": now - ended}
    Connection.objects.filter(pk=connection.pk).update(**at)


def state_after_a_round(connection: Connection, work: Work) -> str:
    recheck()
    work()
    connection.refresh_from_db()
    return str(connection.state)


@pytest.mark.parametrize(("move", "state"), [("freeze", "frozen"), ("uninstall", "uninstalled")])
def test_a_missed_change_is_found_as_soon_as_the_period_ends(
    altegio: Sandbox, connected: Connection, work: Work, move: str, state: str
) -> None:
    getattr(altegio, move)(10101)
    assert state_after_a_round(connected, work) == "active"
    set_back(connected, asked=timedelta(hours=2), ended=timedelta(hours=1))
    assert state_after_a_round(connected, work) == state


def test_an_unclear_connection_is_asked_about_each_day(altegio: Sandbox, connected: Connection, work: Work) -> None:
    set_back(connected, asked=timedelta(hours=2), ended=timedelta(hours=1))
    recheck()
    work()
    assert recheck() == 0
    altegio.freeze(10101)
    set_back(connected, asked=timedelta(hours=25), ended=timedelta(hours=26))
    assert state_after_a_round(connected, work) == "frozen"
    set_back(connected, asked=timedelta(hours=25), ended=timedelta(hours=52))
    assert recheck() == 0


def test_a_lost_unfreeze_is_found_in_the_round_of_all(
    altegio: Sandbox, connected: Connection, work: Work, settings: Settings
) -> None:
    altegio.freeze(10101)
    set_back(connected, asked=timedelta(days=2), ended=timedelta(hours=1))
    assert state_after_a_round(connected, work) == "frozen"
    altegio.pay(10101)
    set_back(connected, asked=timedelta(days=6), ended=timedelta(days=6))
    assert state_after_a_round(connected, work) == "frozen"
    settings.RECHECK_DAYS = 5
    set_back(connected, asked=timedelta(days=6), ended=timedelta(days=6))
    assert state_after_a_round(connected, work) == "active"


def test_the_connection_asked_longest_ago_is_first(connect: Callable[..., Connection], settings: Settings) -> None:
    first, second = connect(10101), connect(10102)
    set_back(first, asked=timedelta(days=8), ended=timedelta(days=-20))
    set_back(second, asked=timedelta(days=9), ended=timedelta(days=-20))
    settings.ALTEGIO_REQUESTS_PER_MINUTE, settings.RECHECK_SHARE = 1, 0.4
    assert recheck() == 1
    assert OutgoingCall.objects.latest("pk").connection_id == second.pk
    assert recheck() == 0, "the one that waits has taken the room"
    OutgoingCall.objects.filter(state="queued").delete()


def test_ended_periods_leave_room_to_the_round_of_all(connect: Callable[..., Connection], settings: Settings) -> None:
    connections = [connect(place) for place in (10101, 10102, 10201, 10401)]
    for connection in connections[:3]:
        set_back(connection, asked=timedelta(days=6), ended=timedelta(days=2))
    set_back(connections[3], asked=timedelta(days=8), ended=timedelta(days=-20))
    settings.ALTEGIO_REQUESTS_PER_MINUTE, settings.RECHECK_SHARE = 1, 1
    assert recheck() == 3
    asked = set(OutgoingCall.objects.filter(state="queued").values_list("connection", flat=True))
    assert connections[3].pk in asked
    OutgoingCall.objects.filter(state="queued").delete()


def test_an_empty_share_asks_nothing(connected: Connection, settings: Settings) -> None:
    settings.RECHECK_SHARE = 0
    set_back(connected, asked=timedelta(days=30), ended=timedelta(days=2))
    assert recheck() == 0


def test_a_round_takes_constant_queries(
    connect: Callable[..., Connection], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for place in (10101, 10102, 10201, 10401):
        set_back(connect(place), asked=timedelta(days=30), ended=timedelta(days=-20))
    with django_assert_max_num_queries(16):
        assert recheck() == 4
    OutgoingCall.objects.filter(state="queued").delete()


@pytest.mark.skipif("database.vendor != 'postgresql'", reason="SQLite does not tell what a query has read")
@pytest.mark.parametrize("which", [oldest_first, ended_periods])
def test_the_next_connection_is_read_from_an_index(connected: Connection, which: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "Index" in which(timezone.now())[:100].explain()
