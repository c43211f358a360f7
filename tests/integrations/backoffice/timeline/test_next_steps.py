"""The page for "it does not work" says what is true and offers the next step."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from integrations.activation.staff import ask_altegio
from integrations.alerts.models import Alert
from integrations.backoffice.timeline.next_steps import next_steps
from integrations.connections.models import Application, Chain, Connection, Location
from integrations.outbox.models import TokenStop
from integrations.outbox.sweep import expire_late_calls
from integrations.outbox.token_stop import fingerprint
from integrations.status_sync.disconnect import disconnect
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_CHAIN, EMMA, MARIA, arrive, follow
from tests.working import Work

pytestmark = pytest.mark.django_db


def advice(**which: Any) -> list[str]:
    """Return the actions and the labels of links offered for the one connection, in order."""
    connection = Connection.objects.select_related("application", "location__chain", "owner").get(**which)
    return [step.action or str(step.label) for step in next_steps(connection)]


@pytest.fixture
def waiting(client: Client, altegio: Sandbox) -> Connection:
    """Return an activation that waits."""
    arrive(client, altegio, AURORA_1)
    return Connection.objects.get()


@pytest.fixture
def active(waiting: Connection, work: Work) -> Connection:
    work()
    return Connection.objects.get()


def test_a_waiting_connection_is_left_alone_or_hurried(waiting: Connection) -> None:
    assert advice() == ["try_again"]


def test_an_activation_held_back_is_released(client: Client, altegio: Sandbox, work: Work) -> None:
    Application.objects.create(altegio_id=1, name="Text messages", hold_activations=True)
    arrive(client, altegio, AURORA_1)
    assert advice() == ["release"]


def test_a_refused_token_comes_before_all_else(waiting: Connection) -> None:
    TokenStop.objects.create(fingerprint=fingerprint(), message="No.")
    assert advice() == ["Token"]


def test_when_the_window_is_over_altegio_is_asked(waiting: Connection) -> None:
    Connection.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))
    assert advice() == ["ask"]


def test_a_healthy_connection_is_asked_about(active: Connection) -> None:
    assert advice() == ["ask"]


def test_a_review_comes_first(active: Connection) -> None:
    Connection.objects.update(review="The name is another.")
    assert advice() == ["pass_review", "ask"]


def test_an_expired_connection_is_reconnected_or_retried(waiting: Connection, altegio: Sandbox, work: Work) -> None:
    Connection.objects.update(deadline_at=timezone.now())
    waiting.calls.update(deadline_at=timezone.now())
    expire_late_calls()
    assert advice() == ["Reconnect page", "try_again"]


def test_a_refused_connection_is_reconnected_or_retried_too(client: Client, altegio: Sandbox, work: Work) -> None:
    follow(client, altegio, AURORA_1)
    work()
    assert advice() == ["Reconnect page", "try_again"]


def test_a_frozen_connection_waits_for_a_payment(active: Connection, altegio: Sandbox, work: Work) -> None:
    altegio.freeze(AURORA_1)
    ask_altegio(active.pk)
    work()
    assert advice() == ["ask"]


def test_a_disconnected_connection_is_reconnected(active: Connection, work: Work) -> None:
    disconnect(active.pk, by=None, why="Over.")
    work()
    assert advice() == ["Reconnect page"]


def test_a_conflict_is_decided_and_shows_the_other_claim(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1, EMMA)
    follow(client, altegio, AURORA_1, MARIA)
    assert advice(claimant__email__startswith="emma") == ["give", "dismiss", "maria@medved.example"]


def test_an_open_alert_and_telephony_refused_are_trouble(active: Connection) -> None:
    Alert.objects.create(key="a", kind=Alert.Kind.CALL, text="Refused.", connection=active)
    chain = Chain.objects.get_or_create(altegio_id=AURORA_CHAIN)[0]
    Chain.objects.update(telephony=Chain.Telephony.FAILED, telephony_error="Not allowed.")
    Location.objects.update(chain=chain)
    assert advice() == ["Alert", "switch_on", "ask"]


def test_the_page_offers_the_step_as_a_button_that_asks_once(staff: Client, waiting: Connection) -> None:
    page = staff.get(reverse("admin:connections_connection_change", args=[waiting.pk])).content.decode()
    assert "Altegio is being asked to switch it on." in page
    assert 'name="action" value="try_again"' in page
    assert "mailto:emma@aurora.example" in page


def test_staff_who_may_not_act_see_the_step_without_a_button(waiting: Connection) -> None:
    viewer = User.objects.create_user("viewer@partner.example", is_staff=True)
    viewer.groups.set([viewer.groups.model.objects.get(name="Viewer")])
    client = Client()
    client.force_login(viewer)
    page = client.get(reverse("admin:connections_connection_change", args=[waiting.pk])).content.decode()
    assert "Altegio is being asked to switch it on." in page
    assert 'name="action"' not in page


def test_the_page_costs_the_same_however_much_happened(
    staff: Client,
    active: Connection,
    altegio: Sandbox,
    work: Work,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    address = reverse("admin:connections_connection_change", args=[active.pk])
    staff.get(address)
    with django_assert_max_num_queries(38) as first:
        staff.get(address)
    for _ in range(5):
        ask_altegio(active.pk)
        work()
    with django_assert_max_num_queries(len(first.captured_queries)):
        staff.get(address)
