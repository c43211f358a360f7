"""Staff get one e-mail about many alerts, and no stream of e-mails about the same kind."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import OutgoingEmail, User
from accounts.roles import Role
from integrations.alerts.models import Alert
from integrations.alerts.raising import NewAlert, mail_alerts, raise_alert, raise_alerts

pytestmark = pytest.mark.django_db
WINDOW, TOKEN = Alert.Kind.WINDOW, Alert.Kind.TOKEN


@pytest.fixture(autouse=True)
def _staff() -> None:
    staff = User.objects.create_user("staff@portal.example", is_staff=True)
    staff.groups.add(Group.objects.get(name=Role.VIEWER))


def raise_and_send(kind: Alert.Kind, key: str) -> int:
    """Raise an alert, send what waits, and return how many alerts went into an e-mail."""
    raise_alert(kind, key, f"{kind} {key}")
    return mail_alerts()


def test_many_alerts_make_one_email() -> None:
    raise_alerts(NewAlert(WINDOW, str(n), f"late {n}", None) for n in range(50))
    assert mail_alerts() == 50
    assert OutgoingEmail.objects.count() == 1


def test_alerts_wait_until_somebody_may_see_them() -> None:
    User.objects.get().groups.clear()
    assert raise_and_send(WINDOW, "1") == 0
    User.objects.get().groups.add(Group.objects.get(name=Role.VIEWER))
    assert mail_alerts() == 1


def test_only_staff_who_may_see_alerts_get_emails() -> None:
    """Staff without a role may see nothing, and a title in an alert is for nobody else."""
    User.objects.create_user("no-role@portal.example", is_staff=True)
    raise_and_send(WINDOW, "1")
    assert OutgoingEmail.objects.get().to == "staff@portal.example"


def test_more_of_the_same_kind_waits_for_five_minutes(time_machine: TimeMachineFixture) -> None:
    assert raise_and_send(WINDOW, "1") == 1
    assert raise_and_send(WINDOW, "2") == 0
    time_machine.move_to(timezone.now() + timedelta(minutes=5, seconds=1))
    assert raise_and_send(WINDOW, "3") == 2


def test_another_kind_is_sent_at_once() -> None:
    raise_and_send(WINDOW, "1")
    raise_and_send(WINDOW, "2")
    assert raise_and_send(TOKEN, "3") == 2
