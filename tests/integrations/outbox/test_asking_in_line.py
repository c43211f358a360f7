"""A question is asked only if its call can go right after it, because otherwise the call would ask again."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.outbox import rate
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import OutgoingCall, RateBudget
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _waited(client: Client, altegio: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queue an activation that has waited for a minute."""
    settings.ALTEGIO_REQUESTS_PER_MINUTE = 20
    monkeypatch.setattr("integrations.outbox.dispatcher.PATIENCE", 0.0)
    arrive(client, altegio, AURORA_1)
    OutgoingCall.objects.filter(kind="activate").update(
        created_at=timezone.now() - timedelta(minutes=1), due_at=timezone.now() - timedelta(minutes=1)
    )


def spend(calls: int) -> None:
    """Record so many calls made half a minute ago."""
    RateBudget.objects.update_or_create(name=rate.NAME, defaults={"stamps": [rate._now() - 30] * calls})


def test_no_question_is_asked_if_only_it_fits_into_the_minute(altegio: Sandbox) -> None:
    spend(19)
    dispatch_due()
    assert altegio.requests() == []


def test_the_question_and_the_call_take_the_last_room_of_the_minute(altegio: Sandbox) -> None:
    spend(18)
    dispatch_due()
    assert [entry.call for entry in altegio.requests()] == ["status", "activate"]
