"""Two proven people claim one location: whose consent it is, by its time, and what staff must decide."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from integrations.activation.waiting_call import undecided_without_call
from integrations.alerts.models import Alert
from integrations.connections.models import Connection
from integrations.outbox.models import OutgoingCall
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, EMMA, EMMAS_EMAIL, MARIA, arrive, follow, status

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_waits_for_nothing() -> Iterator[None]:
    yield
    assert not undecided_without_call().exists()


@pytest.fixture
def claimed_before(client: Client, altegio: Sandbox) -> Connection:
    """A signed stranger named the location before its owner consented; their call stands behind many others."""
    follow(client, altegio, AURORA_1, user_id=MARIA)
    OutgoingCall.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    claim: Connection = Connection.objects.get()
    return claim


def ago(seconds: float) -> time_machine.travel:
    """Some time before the portal's present."""
    return time_machine.travel(timezone.now() - timedelta(seconds=seconds))


def ask_once_more(work: Callable[..., None]) -> None:
    """The time to arrive that a claim leaves to others is over."""
    OutgoingCall.objects.filter(state="unconfirmed", connection__claimant__email=EMMAS_EMAIL).update(
        due_at=timezone.now()
    )
    work(rounds=2)


def owners() -> list[str | None]:
    return list(Connection.objects.live().values_list("owner__email", flat=True))


def test_a_stranger_who_claimed_a_location_before_the_consent_keeps_it_from_nobody(
    client: Client, altegio: Sandbox, work: Callable[..., None], claimed_before: Connection
) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        mine = arrive(client, altegio, AURORA_1)
        work(rounds=1)
        assert status(client, mine)["state"] == "pending", "the page goes on asking"
        ask_once_more(work)
        assert status(client, mine)["state"] == "active"
        OutgoingCall.objects.filter(connection=claimed_before).update(due_at=timezone.now())
        work(rounds=2)
    assert owners() == [EMMAS_EMAIL]
    assert not Alert.objects.filter(cleared_at=None).exists(), "it needs no staff"


def test_a_stranger_who_asks_first_is_refused_and_the_owner_goes_on(
    client: Client, altegio: Sandbox, work: Callable[..., None], claimed_before: Connection
) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        arrive(client, altegio, AURORA_1)
        claims = OutgoingCall.objects.filter(kind="activate")
        claims.exclude(connection=claimed_before).update(due_at=timezone.now() + timedelta(minutes=1))
        claims.filter(connection=claimed_before).update(due_at=timezone.now())
        work(rounds=1)
        claimed_before.refresh_from_db()
        assert claimed_before.state == "failed"
        for _question in range(2):
            ask_once_more(work)
    assert owners() == [EMMAS_EMAIL]


def test_who_claimed_it_before_and_comes_with_the_consent_is_in_dispute_with_who_came_between(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    """The owner has connected anew; somebody is quicker than their redirect, but leaves them the time to arrive."""
    with ago(20):
        follow(client, altegio, AURORA_1)
        OutgoingCall.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    altegio.grant(AURORA_1, user_id=EMMA)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=1)
    follow(client, altegio, AURORA_1)
    OutgoingCall.objects.update(due_at=timezone.now())
    work(rounds=2)
    assert not owners()
    assert set(Connection.objects.values_list("state", "is_disputed")) == {("conflict", True)}


def test_staff_hear_of_two_whom_the_consent_may_be_of(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    mine = arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    assert not owners()
    assert status(client, mine)["locations"][0]["state"] == "conflict"
    alerts = Alert.objects.filter(cleared_at=None, kind=Alert.Kind.CONFLICT)
    assert set(alerts.values_list("connection__state", flat=True)) == {"conflict"}
    assert alerts.count() == 2
    assert set(OutgoingCall.objects.filter(kind="activate").values_list("state", flat=True)) == {"held"}


def test_an_owner_in_dispute_who_connects_anew_is_connected(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    with ago(60):
        arrive(client, altegio, AURORA_1)
        follow(client, altegio, AURORA_1, user_id=MARIA)
        work(rounds=2)
    assert set(Connection.objects.values_list("state", flat=True)) == {"conflict"}
    mine = arrive(client, altegio, AURORA_1)
    for _question in range(2):
        ask_once_more(work)
    assert status(client, mine)["state"] == "active"
    assert owners() == [EMMAS_EMAIL]


def test_a_chain_that_a_stranger_named_before_is_connected(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    with ago(20):
        follow(client, altegio, [AURORA_1, AURORA_2], user_id=MARIA)
        OutgoingCall.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    arrive(client, altegio, [AURORA_1, AURORA_2])
    for _question in range(2):
        ask_once_more(work)
    assert owners() == [EMMAS_EMAIL, EMMAS_EMAIL]
