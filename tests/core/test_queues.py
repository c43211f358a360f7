"""A failing item is set aside, counted, retried ever more slowly, and ends as a dead letter for staff."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from accounts.roles import Role
from integrations.alerts.models import Alert
from integrations.connections.models import Location
from partner_portal.core.models import FailedItem
from partner_portal.core.queues import Queue, describe_error, forget_what_works_again, run_steps
from tests.staff import member

pytestmark = pytest.mark.django_db
QUEUE = Queue("tests", "Tests", Location, max_failures=3)


@pytest.fixture
def rows() -> list[Location]:
    return Location.objects.bulk_create(Location(altegio_id=number) for number in range(1, 9))


def number_five_fails(some: Sequence[Location]) -> None:
    Location.objects.filter(pk__in=[row.pk for row in some]).update(city="done")
    if any(row.altegio_id == 5 for row in some):
        raise RecursionError("five")


def fail_until_dead(row: Location, time_machine: TimeMachineFixture) -> None:
    for _ in range(QUEUE.max_failures):
        QUEUE.work([row], number_five_fails)
        time_machine.move_to(timezone.now() + timedelta(hours=2))


def test_the_failing_item_is_set_aside_and_the_others_are_done(rows: list[Location]) -> None:
    assert QUEUE.work(rows, number_five_fails) == 7
    assert Location.objects.filter(city="done").count() == 7
    failed = FailedItem.objects.get()
    assert (failed.item, failed.failures, failed.dead_at) == (rows[4].pk, 1, None)
    assert failed.error.startswith("RecursionError: five")
    assert not QUEUE.ready(Location.objects.all()).filter(altegio_id=5).exists()


def test_an_error_message_is_stored_whatever_it_holds() -> None:
    assert describe_error(ValueError("a\x00b\ud83d Bearer secret")) == "ValueError: ab\ufffd Bearer •••"


def test_a_failed_item_is_retried_after_its_pause(rows: list[Location], time_machine: TimeMachineFixture) -> None:
    QUEUE.work(rows, number_five_fails)
    time_machine.move_to(timezone.now() + timedelta(seconds=10))
    assert QUEUE.ready(Location.objects.all()).filter(altegio_id=5).exists()


def test_a_failure_during_the_pause_is_not_counted(rows: list[Location]) -> None:
    for _ in range(10):
        QUEUE.work([rows[4]], number_five_fails)
    assert FailedItem.objects.get().failures == 1


def test_an_item_ends_as_a_dead_letter_with_one_alert_for_its_queue(
    rows: list[Location], time_machine: TimeMachineFixture
) -> None:
    fail_until_dead(rows[4], time_machine)
    assert FailedItem.objects.get().dead_at is not None
    assert Alert.objects.get().key == "dead:tests"
    time_machine.move_to(timezone.now() + timedelta(days=30))
    forget_what_works_again()
    assert not QUEUE.ready(Location.objects.all()).filter(altegio_id=5).exists()


def test_staff_try_it_again_and_the_alert_ends(
    rows: list[Location], time_machine: TimeMachineFixture, client: Client
) -> None:
    fail_until_dead(rows[4], time_machine)
    client.force_login(member(Role.SUPPORT))
    address = reverse("admin:core_faileditem_changelist")
    form = {"action": "again", "_selected_action": FailedItem.objects.get().pk, "confirmed": "yes"}
    client.post(address, form)
    assert QUEUE.ready(Location.objects.all()).filter(altegio_id=5).exists()
    assert Alert.objects.get().cleared_at is not None


def test_the_list_says_which_items_are_not_retried(
    rows: list[Location], time_machine: TimeMachineFixture, client: Client
) -> None:
    fail_until_dead(rows[4], time_machine)
    client.force_login(member(Role.SUPPORT))
    page = client.get(reverse("admin:core_faileditem_changelist")).content.decode()
    assert re.search(r'field-next_try"[^>]*><span[^>]*>given up</span>', page)


def test_a_retried_item_dies_again_with_a_new_alert(rows: list[Location], time_machine: TimeMachineFixture) -> None:
    fail_until_dead(rows[4], time_machine)
    QUEUE.try_again([rows[4].pk])
    fail_until_dead(rows[4], time_machine)
    assert [alert.cleared_at is None for alert in Alert.objects.order_by("pk")] == [False, True]


def test_a_failure_that_did_not_come_again_is_forgotten(
    rows: list[Location], time_machine: TimeMachineFixture
) -> None:
    QUEUE.work([rows[4]], number_five_fails)
    time_machine.move_to(timezone.now() + timedelta(days=2))
    forget_what_works_again()
    assert not FailedItem.objects.exists()


def test_the_step_at_giving_up_may_fail_too(rows: list[Location], time_machine: TimeMachineFixture) -> None:
    def fail(_item: int) -> None:
        raise ValueError

    queue = Queue("worse", "Worse", Location, max_failures=1, give_up=fail)
    queue.work([rows[4]], number_five_fails)
    time_machine.move_to(timezone.now() + timedelta(minutes=1))
    queue.work([rows[4]], number_five_fails)
    assert FailedItem.objects.get().dead_at is not None


def test_a_step_that_fails_keeps_no_other_from_running(time_machine: TimeMachineFixture) -> None:
    done = []

    def broken() -> None:
        raise KeyError("broken")

    for _ in range(3):
        assert run_steps(broken, lambda: done.append(1)) == 1
        time_machine.move_to(timezone.now() + timedelta(minutes=1))
    assert len(done) == 3
    assert Alert.objects.get().key == "dead:step broken"

    time_machine.move_to(timezone.now() + timedelta(hours=3))
    forget_what_works_again()
    assert Alert.objects.get().cleared_at is not None


def test_the_list_shows_the_item_and_what_went_wrong(rows: list[Location], client: Client) -> None:
    QUEUE.work(rows, number_five_fails)
    client.force_login(User.objects.create_superuser("boss@partner.example", "pass"))
    page = client.get(reverse("admin:core_faileditem_changelist")).content.decode()
    assert "RecursionError: five" in page
