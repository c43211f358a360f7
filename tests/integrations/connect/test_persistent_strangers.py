"""A signed stranger gains nothing by naming a location repeatedly, before, with and after its owner."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from integrations.activation import staff
from integrations.alerts.models import Alert
from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, MARIA, arrive, follow, status
from tests.working import Work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_claim_has_its_call")]


def refused(client: Client, altegio: Sandbox, work: Work, times: int = 3, user_id: int = MARIA) -> None:
    """Let a stranger name the location before anybody consents, and be refused, `times` times."""
    for _ in range(times):
        follow(client, altegio, AURORA_1, user_id=user_id)
        work(rounds=2)
    assert set(Connection.objects.values_list("state", flat=True)) == {"failed"}


@pytest.mark.parametrize("when", ["before", "after the consent", "after"])
def test_a_stranger_who_was_refused_and_comes_again_disputes_nothing(
    client: Client, altegio: Sandbox, work: Work, when: str
) -> None:
    refused(client, altegio, work)
    if when == "before":
        follow(client, altegio, AURORA_1, user_id=MARIA)
    altegio.grant(AURORA_1, user_id=EMMA)
    if when == "after the consent":
        follow(client, altegio, AURORA_1, user_id=MARIA)
        work(rounds=1)
    mine = follow(client, altegio, AURORA_1)
    if when == "after":
        follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    assert status(client, mine)["state"] == "active"
    work()
    assert status(client, mine)["state"] == "active"
    assert not Alert.objects.exists()


def test_a_refused_stranger_steps_back_where_the_owners_answer_is_lost(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    refused(client, altegio, work)
    altegio.fault("error", "activate", status=500)
    mine = arrive(client, altegio, AURORA_1)
    work(rounds=1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    assert status(client, mine)["state"] == "active"


def test_a_dismissed_claimant_does_not_dispute_again(client: Client, altegio: Sandbox, work: Work) -> None:
    follow(client, altegio, AURORA_1, user_id=MARIA)
    mine = arrive(client, altegio, AURORA_1)
    person = User.objects.create_user("s@x.example")
    staff.give_to_claimant(Connection.objects.latest("pk").pk, person)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    assert status(client, mine)["state"] == "active"


@pytest.mark.parametrize("times", [1, 3])
def test_an_owner_with_an_old_link_is_not_overtaken_by_a_stranger(
    client: Client, altegio: Sandbox, work: Work, times: int
) -> None:
    """After one refusal they count like anybody; two people refused repeatedly are equals."""
    refused(client, altegio, work, times=times, user_id=EMMA)
    if times == 3:
        refused(client, altegio, work)
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    assert list(Connection.objects.order_by("-pk").values_list("state", flat=True))[:2] == ["conflict", "conflict"]


def test_a_stranger_seconds_before_the_consent_counts_as_a_stranger(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    """The stranger's answer is lost; the owner consents 20 seconds after the stranger came."""
    altegio.fault("error", "activate", status=500)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=1)
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        altegio.grant(AURORA_1, user_id=EMMA, at=timezone.now())
        work()
        assert not Connection.objects.exclude(owner=None).exists()


def test_a_call_that_waited_seconds_asks_before_it_is_sent(client: Client, altegio: Sandbox, work: Work) -> None:
    follow(client, altegio, AURORA_1, user_id=MARIA)
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        altegio.grant(AURORA_1, user_id=EMMA, at=timezone.now())
        work()
        assert altegio.requests("activate") == []


def test_the_clocks_of_an_honest_owner_may_differ_by_seconds(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.fault("error", "activate", status=500)
    altegio.grant(AURORA_1, user_id=EMMA, at=timezone.now() + timedelta(seconds=3))
    mine = follow(client, altegio, AURORA_1)
    work()
    assert status(client, mine)["state"] == "active"
