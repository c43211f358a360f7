"""Whose a location is where Altegio's answers are lost, late or overtaken (docs/altegio.md §1)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from integrations.altegio.answers import Answer
from integrations.altegio.client import AltegioClient
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Connection
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.disconnect import disconnect
from sandbox import Sandbox
from tests.integrations.connect.test_claims import visit
from tests.marketplace import AURORA_1, EMMA, EMMAS_EMAIL, MARIA, arrive, follow

pytestmark = pytest.mark.django_db


@pytest.fixture
def behind_the_owner(
    client: Client, altegio: Sandbox, connected: Connection, work: Callable[..., None]
) -> Connection:
    """A signed stranger's claim on what the owner held, who has let it go."""
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    disconnect(connected.pk, by=None, why="The owner disconnects.")
    work(rounds=1)
    claim = Connection.objects.latest("pk")
    assert claim.state == "conflict"
    return claim


def owner() -> str | None:
    return Connection.objects.live().values_list("owner__email", flat=True).get()


def test_the_owners_lost_answer_gives_the_location_to_nobody_who_waits(
    client: Client, altegio: Sandbox, behind_the_owner: Connection, work: Callable[..., None]
) -> None:
    altegio.fault("error_after", "activate")
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    OutgoingCall.objects.filter(connection=behind_the_owner).update(due_at=timezone.now())
    work(rounds=1)
    behind_the_owner.refresh_from_db()
    assert behind_the_owner.state == "conflict"
    work()
    assert owner() == EMMAS_EMAIL


def test_a_lost_answer_to_who_has_signed_up_gives_the_location_to_no_later_comer(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    altegio.fault("error_after", "activate")
    altegio.grant(AURORA_1, user_id=None)
    visit(altegio, AURORA_1, "owner@people.example", "198.51.100.7")
    while not altegio.requests("activate"):
        work(rounds=1)
        OutgoingCall.objects.update(due_at=timezone.now())
    OutgoingCall.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    assert Connection.objects.latest("pk").state == "conflict"
    work()
    assert Connection.objects.live().values_list("claimant__email", flat=True).get() == "owner@people.example"


def test_an_answer_that_is_older_than_the_owners_activation_ends_nothing(
    client: Client, altegio: Sandbox, behind_the_owner: Connection, work: Callable[..., None]
) -> None:
    """Altegio says that the grant is open; before that is read the owner's activation is accepted."""
    altegio.grant(AURORA_1, user_id=EMMA)
    OutgoingCall.objects.filter(connection=behind_the_owner).update(due_at=timezone.now())
    with while_altegio_answers("", lambda: (follow(client, altegio, AURORA_1), dispatch_due())):
        work(rounds=1)
    assert owner() == EMMAS_EMAIL
    work()
    assert owner() == EMMAS_EMAIL


def test_who_waited_behind_a_holder_leaves_whoever_consents_the_time_to_arrive(
    client: Client, altegio: Sandbox, behind_the_owner: Connection, work: Callable[..., None]
) -> None:
    altegio.grant(AURORA_1, user_id=EMMA)
    OutgoingCall.objects.filter(connection=behind_the_owner).update(due_at=timezone.now())
    work(rounds=1)
    follow(client, altegio, AURORA_1)
    work()
    assert owner() == EMMAS_EMAIL


def test_where_altegio_activates_at_the_grant_it_is_whose_turn_it_is(
    client: Client, altegio: Sandbox, behind_the_owner: Connection, work: Callable[..., None]
) -> None:
    altegio.set_application(1, private=True)
    arrive(client, altegio, AURORA_1)
    mine = Connection.objects.latest("pk")
    OutgoingCall.objects.filter(connection=mine).update(due_at=timezone.now() + timedelta(seconds=30))
    OutgoingCall.objects.filter(connection=behind_the_owner).update(due_at=timezone.now())
    work(rounds=1)
    work()
    assert owner() == EMMAS_EMAIL


def test_an_owner_who_connects_anew_before_the_end_is_known_is_not_lost_behind_others_claims(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    arrive(client, altegio, AURORA_1)
    visit(altegio, AURORA_1, "bot@people.example", "198.51.100.7")
    claim = Connection.objects.latest("pk")
    OutgoingCall.objects.filter(connection=claim).update(due_at=timezone.now() + timedelta(seconds=30))
    work(rounds=1)
    mine = Connection.objects.live().get()
    disconnect(mine.pk, by=None, why="The owner disconnects.")
    with while_altegio_answers("/uninstall", lambda: arrive(client, altegio, AURORA_1)):
        work(rounds=1)
    work()
    assert owner() == EMMAS_EMAIL


@contextmanager
def while_altegio_answers(what: str, happen: Callable[[], Any]) -> Iterator[None]:
    """`happen()` once, between Altegio's answer about an installation and the moment in which it is read.

    `what`: the end of the call's address behind that of the installation's status.
    """
    send = AltegioClient.send
    happened: list[ApiRequest] = []

    def answer(client: AltegioClient, call: ApiRequest) -> Answer:
        answered = send(client, call)
        if call.path.endswith(f"/application/1{what}") and not happened:
            happened.append(call)
            happen()
        return answered

    with patch.object(AltegioClient, "send", answer):
        yield
    assert happened
