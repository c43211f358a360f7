"""Staff take, postpone and comment alerts; maintenance is quiet."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import OutgoingEmail, User
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, mail_alerts, raise_alert

pytestmark = pytest.mark.django_db
LIST = "/admin/alerts/alert/"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def alert(admin_user: User) -> Alert:
    raise_alert(Alert.Kind.CALL, "one", "Trouble with one.")
    return Alert.objects.get()


def act(staff: Client, action: str, alert: Alert) -> None:
    staff.post(LIST, {"action": action, "_selected_action": alert.pk, "confirmed": "yes"})


def is_listed(staff: Client, which: str) -> bool:
    """Return whether the alert stands in this list."""
    return "Trouble with one." in staff.get(f"{LIST}?open={which}").content.decode()


def test_the_assignee_of_an_alert_is_shown(admin_client: Client, admin_user: User, alert: Alert) -> None:
    act(admin_client, "take", alert)

    alert.refresh_from_db()
    assert alert.assignee == admin_user
    assert is_listed(admin_client, "mine")
    assert "sees to it" in admin_client.get("/admin/").content.decode()


def test_an_alert_that_was_put_off_comes_again_if_it_is_still_open(
    admin_client: Client, alert: Alert, clock: time_machine.Traveller
) -> None:
    assert mail_alerts() == 1
    act(admin_client, "snooze", alert)
    clock.shift(timedelta(hours=3))
    assert not is_listed(admin_client, "now")
    assert is_listed(admin_client, "off")
    assert mail_alerts() == 0

    clock.shift(timedelta(hours=2))
    assert is_listed(admin_client, "now")
    assert mail_alerts() == 1


def test_an_alert_that_ended_while_put_off_is_not_sent_again(
    admin_client: Client, alert: Alert, clock: time_machine.Traveller
) -> None:
    act(admin_client, "snooze", alert)
    clear_alerts(key="one")
    clock.shift(timedelta(hours=5))
    assert mail_alerts() == 0


def test_a_note_is_kept_and_nothing_else_can_be_typed_over(admin_client: Client, alert: Alert) -> None:
    typed: dict[str, Any] = {"note": "Asked Altegio's support.", "assignee": "", "text": "All is well."}
    admin_client.post(f"{LIST}{alert.pk}/change/", typed)

    alert.refresh_from_db()
    assert (alert.note, alert.text) == ("Asked Altegio's support.", "Trouble with one.")


def test_maintenance_is_quiet_and_open_alerts_are_sent_afterwards(
    admin_client: Client, alert: Alert, clock: time_machine.Traveller
) -> None:
    admin_client.post(f"{LIST}quiet/")
    assert "Quiet until" in admin_client.get(LIST).content.decode()
    assert mail_alerts() == 0

    clock.shift(timedelta(minutes=61))
    assert "Quiet until" not in admin_client.get(LIST).content.decode()
    assert mail_alerts() == 1
    assert OutgoingEmail.objects.get(template="staff/alerts")


def test_quiet_can_be_ended_at_once(admin_client: Client, alert: Alert) -> None:
    for _ in range(2):
        admin_client.post(f"{LIST}quiet/")
    assert mail_alerts() == 1


@pytest.mark.parametrize("path", ["quiet/", "test/"])
def test_staff_without_the_right_can_do_neither(client: Client, path: str) -> None:
    client.force_login(User.objects.create_user("viewer@portal.example", "long-password-9", is_staff=True))
    assert client.post(f"{LIST}{path}").status_code == 403
