"""Altegio's status shows whether it took the settings of an activation; each missing one is an alert."""

from collections.abc import Callable

import pytest
from django.test import Client

from integrations.activation.models import TakenSettings
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection, Installation
from integrations.outbox.models import Attempt
from integrations.reconciliation.rechecks import recheck
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


def settings_state() -> tuple[str, str]:
    found = TakenSettings.objects.get()
    return found.state, found.missing


def open_alerts() -> list[str]:
    return list(Alert.objects.filter(kind="settings", cleared_at=None).values_list("text", flat=True))


@pytest.fixture
def connected(connect: Callable[..., Connection]) -> Connection:
    found: Connection = connect(AURORA_1)
    return found


def test_the_round_after_an_activation_checks_its_settings(
    altegio: Sandbox, connected: Connection, work: Work
) -> None:
    assert recheck() == 1
    work()
    assert settings_state() == ("taken", "")
    assert open_alerts() == []


def test_a_setting_recorded_otherwise_is_an_alert_until_it_is_right(
    altegio: Sandbox, connected: Connection, work: Work
) -> None:
    at_altegio = not_none(altegio.world.connection(1, AURORA_1))
    right = at_altegio.api_key
    at_altegio.api_key = "somebody else's"
    recheck()
    work()
    assert settings_state() == ("different", "API key")
    [text] = open_alerts()
    assert "did not record what was sent: API key" in text
    at_altegio.api_key = right
    ask_status(connected)
    work()
    assert settings_state() == ("taken", "")
    assert open_alerts() == []


def test_a_private_application_is_active_without_key_and_addresses_and_says_so(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    altegio.set_application(1, private=True)
    arrive(client, altegio, AURORA_1)
    work()
    assert Connection.objects.get().state == "active"
    assert settings_state() == ("not_sent", "API key, event address")
    [text] = open_alerts()
    assert "Mend the webhook settings" in text
    assert "nonpublic_webhook_url" not in text
    recheck()
    work()
    assert settings_state()[0] == "not_sent"
    assert len(open_alerts()) == 1


def test_the_alert_ends_with_the_connection(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.set_application(1, private=True)
    arrive(client, altegio, AURORA_1)
    work()
    altegio.uninstall(AURORA_1)
    ask_status(Connection.objects.get())
    work()
    assert open_alerts() == []


def test_an_application_without_a_key_misses_only_its_event_address(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    Application.objects.create(altegio_id=1, kind="other")
    altegio.set_application(1, private=True)
    arrive(client, altegio, AURORA_1)
    work()
    assert settings_state() == ("not_sent", "event address")


def test_a_lost_answer_is_no_sign_of_a_private_application(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.fault("drop_after", "activate")
    arrive(client, altegio, AURORA_1)
    work()
    assert not TakenSettings.objects.exists()


def test_the_key_stands_in_no_record_of_the_answer(altegio: Sandbox, connected: Connection, work: Work) -> None:
    not_none(altegio.world.connection(1, AURORA_1)).chat_url = Installation.objects.get().api_key
    recheck()
    work()
    bodies = "".join(Attempt.objects.values_list("response_body", flat=True))
    assert "special_settings" in bodies
    assert Installation.objects.get().api_key not in bodies
