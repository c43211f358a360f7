"""Staff can hold, release and retry activations, decide conflicts and pass reviews."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from integrations.activation import staff
from integrations.activation.call_kinds import Activate
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection
from integrations.outbox.queue import queue
from integrations.status_sync.disconnect import disconnect
from sandbox import Sandbox, Status
from tests.marketplace import AURORA_1, EMMA, MARIA, arrive, follow, status
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_a_held_activation_waits_until_staff_release_it(client: Client, altegio: Sandbox, work: Work) -> None:
    Application.objects.create(altegio_id=1, hold_activations=True)
    answer = arrive(client, altegio, AURORA_1)
    work()
    assert status(client, answer)["state"] == "pending"
    assert altegio.requests() == []

    staff.release(Connection.objects.get().pk)
    work()
    assert status(client, answer)["state"] == "active"


def expired(client: Client, altegio: Sandbox, work: Work, settings: Settings) -> Connection:
    arrive(client, altegio, AURORA_1)
    late = time_machine.travel(timezone.now() + timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW + 1))
    with late:
        work()
    return Connection.objects.get()


def test_a_retry_after_the_deadline_asks_altegio_before_it_sends(
    client: Client, altegio: Sandbox, work: Work, settings: Settings, support: User
) -> None:
    connection = expired(client, altegio, work, settings)
    staff.try_again(connection.pk, support)
    work()

    assert [request.call for request in altegio.requests()][:2] == ["status", "activate"]
    assert Connection.objects.get().state == "active"


def test_a_claim_retried_by_staff_has_a_new_window_with_rivals(
    client: Client, altegio: Sandbox, work: Work, settings: Settings, support: User
) -> None:
    connection = expired(client, altegio, work, settings)
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        staff.try_again(connection.pk, support)
        follow(client, altegio, AURORA_1, user_id=MARIA)
        connection.refresh_from_db()
        assert connection.deadline_at - timezone.now() == timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW)
        assert list(Connection.objects.values_list("state", "is_disputed")) == [("conflict", True)] * 2


def test_a_retry_sends_nothing_if_altegio_does_not_wait(
    client: Client, altegio: Sandbox, work: Work, settings: Settings, support: User
) -> None:
    connection = expired(client, altegio, work, settings)
    altegio.uninstall(AURORA_1)
    staff.try_again(connection.pk, support)
    work()

    assert altegio.requests("activate") == []
    assert Connection.objects.get().state == "failed"


def test_an_active_connection_cannot_be_retried(client: Client, altegio: Sandbox, work: Work, support: User) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    with pytest.raises(staff.NotPossibleError):
        staff.try_again(Connection.objects.get().pk, support)


def claim_of(user_id: int, state: str = "conflict") -> Connection:
    return Connection.objects.get(state=state, claimant__identities__altegio_user_id=user_id)


def test_deciding_between_two_claims(client: Client, altegio: Sandbox, work: Work, support: User) -> None:
    mine = arrive(client, altegio, AURORA_1)
    theirs = follow(client, altegio, AURORA_1, user_id=MARIA)
    staff.give_to_claimant(claim_of(EMMA).pk, support)
    work()

    assert status(client, mine)["state"] == "active"
    assert status(client, theirs)["state"] == "failed"
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_the_list_of_conflicts_says_who_claims_and_for_how_long(client: Client, altegio: Sandbox) -> None:
    for person in (EMMA, MARIA):
        follow(client, altegio, AURORA_1, person)
    client.force_login(User.objects.create_superuser("boss@partner.example"))
    page = client.get("/admin/connections/connection/", {"state__exact": "conflict"}).content.decode()
    claimants = User.objects.filter(pk__in=Connection.objects.values("claimant"))
    assert [page.count(not_none(claimant.email)) for claimant in claimants] == [1, 1]
    assert page.count("59\xa0minutes") == 2


def test_moving_a_live_location_to_another_person_is_recorded(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    staff.give_to_claimant(claim_of(MARIA).pk, support)

    live = Connection.objects.get(state="active")
    assert not_none(live.owner).identities.get().altegio_user_id == MARIA
    assert live.changes.latest("pk").by == support
    assert altegio.status_of(AURORA_1) is Status.ACTIVE


def test_a_mismatched_name_is_reviewed_before_the_owner_sees_anything(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    altegio.grant(AURORA_1, user_id=EMMA)
    url = altegio.arrival_url(AURORA_1, user_id=EMMA)
    altegio.world.locations[AURORA_1].title = "Another place"
    altegio.world.locations[AURORA_1].public_title = ""
    answer = client.get(url[url.index("/connect/") :])
    work()

    connection = Connection.objects.get()
    assert connection.state == "active"
    assert connection.review
    assert "Another place" not in client.get(answer["Location"]).content.decode()

    staff.pass_review(connection.pk)
    assert "Another place" in client.get(answer["Location"]).content.decode()


def a_holder_leaves_a_held_claim_behind(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    Application.objects.update(hold_activations=True)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    disconnect(Connection.objects.get(state="active").pk, by=None, why="The owner leaves.")
    work()


def test_a_strangers_held_claim_does_not_block_the_holders_calls(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    a_holder_leaves_a_held_claim_behind(client, altegio, work)
    assert altegio.status_of(AURORA_1) is Status.UNINSTALLED


def test_staff_release_a_claimant_who_returns_after_the_holder_left(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    a_holder_leaves_a_held_claim_behind(client, altegio, work)
    mine = arrive(client, altegio, AURORA_1, user_id=MARIA)
    staff.release(Connection.objects.latest("pk").pk)
    work()
    assert status(client, mine)["state"] == "active"


def test_staff_release_a_claimant_who_came_before_the_end_was_known(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    Application.objects.update(hold_activations=True)
    altegio.uninstall(AURORA_1)
    mine = arrive(client, altegio, AURORA_1, user_id=MARIA)
    staff.ask_altegio(connected.pk)
    work()
    assert status(client, mine)["locations"][0]["state"] == "conflict"
    staff.release(Connection.objects.latest("pk").pk)
    work()
    assert status(client, mine)["state"] == "active"


def test_a_held_claim_stays_held_when_its_window_restarts_at_its_end(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    Application.objects.create(altegio_id=1, hold_activations=True)
    follow(client, altegio, AURORA_1)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        Connection.objects.update(deadline_at=timezone.now() + timedelta(hours=1))
        work()
    assert Connection.objects.get().calls.latest("pk").state == "held"
    assert altegio.requests() == []


def test_a_released_activation_asks_before_it_is_sent(client: Client, altegio: Sandbox, work: Work) -> None:
    Application.objects.create(altegio_id=1, hold_activations=True)
    follow(client, altegio, AURORA_1)
    staff.release(Connection.objects.get().pk)
    work()
    assert [request.call for request in altegio.requests()] == ["status"]


def test_the_table_holds_one_waiting_activation_of_a_connection(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    with pytest.raises(IntegrityError), transaction.atomic():
        queue([Activate.new(Connection.objects.get())])
