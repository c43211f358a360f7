"""Staff get one letter about many alarms, and not one after another about the same kind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Letter, User
from integrations.alarms.models import Alarm
from integrations.alarms.raising import mail_alarms, raise_alarms

pytestmark = pytest.mark.django_db
WINDOW, TOKEN = Alarm.Kind.WINDOW, Alarm.Kind.TOKEN


@pytest.fixture(autouse=True)
def _staff() -> None:
    User.objects.create_user("staff@portal.example", is_staff=True)


def tell(kind: Alarm.Kind, key: str) -> int:
    """Raise an alarm; how many alarms went into a letter then."""
    raise_alarms([(kind, key, f"{kind} {key}", None)])
    return mail_alarms()


def test_many_alarms_make_one_letter():
    raise_alarms((WINDOW, str(n), f"late {n}", None) for n in range(50))
    assert mail_alarms() == 50
    assert Letter.objects.count() == 1


def test_more_of_the_same_kind_waits_for_five_minutes(time_machine):
    assert tell(WINDOW, "1") == 1
    assert tell(WINDOW, "2") == 0
    time_machine.move_to(timezone.now() + timedelta(minutes=5, seconds=1))
    assert tell(WINDOW, "3") == 2


def test_another_kind_is_told_at_once():
    tell(WINDOW, "1")
    tell(WINDOW, "2")
    assert tell(TOKEN, "3") == 2
