"""Locations connected before the portal are adopted: nothing is sent, and nobody gets them without a proof."""

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from accounts.models import User
from billing.periods import follow_payments
from integrations.activation.adoption import adopt, ask_to_adopt
from integrations.activation.models import TakenSettings
from integrations.activation.staff import give_to_claimant, is_for_staff
from integrations.alerts.models import Alert
from integrations.altegio import requests
from integrations.altegio.answers import read_status
from integrations.connections.models import Application, Connection, State
from integrations.connections.transitions import move
from integrations.outbox.direct_requests import ask_now
from integrations.outbox.sweep import expire_late_calls
from integrations.partner_events.fan_out import fan_out
from integrations.partner_events.models import PartnerEvent
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.start import start_run
from integrations.status_sync.status_sync import ask_status
from integrations.user_tokens.models import ApplicationToken
from integrations.webhook_settings.models import WebhookSettings
from sandbox import Sandbox
from tests.admin_urls import admin_url
from tests.marketplace import AURORA_1, AURORA_2, EMMA, arrive
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def application(altegio: Sandbox) -> Application:
    return Application.objects.create(altegio_id=1, name="Beacon", kind="sms")


@pytest.fixture
def connected_before(altegio: Sandbox, application: Application) -> None:
    """Make a location that another system of the partner connected a year ago."""
    altegio.connect_elsewhere(AURORA_1)


def activations(altegio: Sandbox) -> int:
    return len(altegio.requests("activate"))


def run_command(*arguments: str) -> str:
    out = StringIO()
    call_command("adopt_connections", *arguments, stdout=out)
    return out.getvalue()


def test_an_adopted_location_has_no_owner_and_no_activation(
    altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    ask_to_adopt(application, AURORA_1)
    work()
    connection = Connection.objects.get()
    assert (connection.state, connection.owner, connection.claimant) == ("active", None, None)
    assert activations(altegio) == 0


def test_an_adoption_does_not_restart_the_trial(
    altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    ask_to_adopt(application, AURORA_1)
    work()
    connection = Connection.objects.get()
    year = timedelta(days=365)
    assert timedelta() <= timezone.now() - not_none(connection.activated_at) - year < timedelta(minutes=1)
    assert not_none(connection.trial_ends_at) < timezone.now()
    assert connection.next_payment_at is None, "what was paid elsewhere is not known, so nothing is overdue"


def test_a_trial_that_ends_after_the_adoption_is_overdue(
    altegio: Sandbox, application: Application, work: Work
) -> None:
    altegio.connect_elsewhere(AURORA_1)
    Application.objects.update(trial_days=370)
    ask_to_adopt(application, AURORA_1)
    work()
    ends_at = not_none(Connection.objects.get().next_payment_at)
    with time_machine.travel(ends_at + timedelta(days=1)):
        follow_payments(Connection.objects.get())
        assert Connection.objects.get().next_payment_at == ends_at


def test_an_adoption_is_published_once(
    altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    for _ in range(2):
        ask_to_adopt(application, AURORA_1)
        work()
    fan_out()
    (event,) = PartnerEvent.objects.filter(type="connection.activated")
    assert json.loads(event.body)["data"]["connection"]["owner_email"] is None


def test_foreign_keys_and_addresses_alert_staff(
    altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    ask_to_adopt(application, AURORA_1)
    work()
    taken = TakenSettings.objects.get()
    assert (taken.state, taken.missing) == ("different", "API key, event address")
    assert Alert.objects.filter(kind="settings", cleared_at=None).count() == 1


def test_our_event_address_is_added_if_a_token_allows_it(
    altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    ApplicationToken.objects.create(application=application, token="the-system-users")
    ask_to_adopt(application, AURORA_1)
    work()
    assert WebhookSettings.objects.get().state == "present"
    assert TakenSettings.objects.get().missing == "API key"


def test_a_frozen_connection_is_adopted_as_frozen(
    altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    altegio.freeze(AURORA_1)
    ask_to_adopt(application, AURORA_1)
    work()
    assert Connection.objects.get().state == "frozen"


def test_an_unconnected_location_is_not_adopted(altegio: Sandbox, application: Application, work: Work) -> None:
    altegio.grant(AURORA_1)
    ask_to_adopt(application, AURORA_1)
    ask_to_adopt(application, AURORA_2)
    work()
    assert not Connection.objects.exists()


def test_a_location_known_to_the_portal_is_not_adopted(
    client: Client, altegio: Sandbox, application: Application, work: Work
) -> None:
    arrive(client, altegio, AURORA_1, user_id=EMMA)
    work()
    ask_to_adopt(application, AURORA_1)
    work()
    assert Connection.objects.get().owner is not None


def test_the_command_names_each_and_a_dry_run_changes_nothing(
    altegio: Sandbox, application: Application, connected_before: None
) -> None:
    assert f"#{AURORA_1} Aurora Covent Garden" in run_command("--dry-run")
    assert not Connection.objects.exists()

    assert "taken over, active" in run_command("--application", "1")
    assert Connection.objects.get().state == "active"
    assert "0 connected at Altegio and unknown here" in run_command()


def test_the_command_refuses_an_unknown_application(altegio: Sandbox, application: Application) -> None:
    with pytest.raises(CommandError, match="no application 77"):
        run_command("--application", "77")


def test_staff_take_over_what_a_reconciliation_found(
    client: Client, altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    start_run(Reconciliation.Trigger.NIGHTLY)
    work()
    finding = Finding.objects.get(kind="unknown")
    client.force_login(User.objects.create_superuser("staff@example.com", "pass"))
    form = {"action": "adopt", "_selected_action": [finding.pk], "confirmed": "yes"}
    client.post(admin_url("finding"), form)
    work()
    finding.refresh_from_db()
    assert finding.connection == Connection.objects.get()
    assert not finding.needs_person
    page = client.post(admin_url("finding"), form, follow=True).content.decode()
    assert "no location that is unknown here" in page


def test_an_owner_who_comes_through_the_settings_tab_waits_for_staff(
    client: Client, altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    client.get(_path(altegio.arrival_url(AURORA_1, user_id=EMMA)))
    work()
    live = Connection.objects.live().get()
    claim = Connection.objects.exclude(pk=live.pk).get()
    assert (live.owner, claim.state) == (None, "conflict")
    assert Alert.objects.filter(kind="conflict", cleared_at=None).count() == 1

    give_to_claimant(claim.pk, User.objects.create_superuser("staff@example.com", "pass"))
    live.refresh_from_db()
    assert live.owner == claim.claimant
    assert not_none(live.activated_at) < timezone.now() - timedelta(days=300)


def test_staff_may_decide_for_them_after_the_window_too(
    client: Client,
    altegio: Sandbox,
    application: Application,
    connected_before: None,
    work: Work,
    time_machine: TimeMachineFixture,
) -> None:
    client.get(_path(altegio.arrival_url(AURORA_1, user_id=EMMA)))
    work()
    time_machine.move_to(timezone.now() + timedelta(hours=2))
    expire_late_calls()
    claim = Connection.objects.get(state="failed")

    give_to_claimant(claim.pk, User.objects.create_superuser("staff@example.com", "pass"))
    assert Connection.objects.live().get().owner == claim.claimant
    claim.refresh_from_db()
    assert not is_for_staff(claim)
    work()


def test_a_stranger_without_a_proof_makes_no_connection(
    client: Client, altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    client.get(f"/connect/?salon_id={AURORA_1}")
    work()
    assert not Connection.objects.live().exists()


def test_a_location_that_has_just_become_active_is_left_to_its_arriving_owner(
    client: Client, altegio: Sandbox, application: Application, work: Work
) -> None:
    altegio.connect_elsewhere(AURORA_1, at=timezone.now() - timedelta(minutes=2))
    client.get(_path(altegio.arrival_url(AURORA_1, user_id=EMMA)))
    work()
    assert not Connection.objects.live().filter(owner=None).exists()


def test_adoption_leaves_a_location_activated_at_the_grant_to_its_coming_owner(
    client: Client, altegio: Sandbox, application: Application, work: Work
) -> None:
    altegio.set_application(1, private=True)
    altegio.grant(AURORA_1, user_id=EMMA)
    ask_to_adopt(application, AURORA_1)
    work()
    assert not Connection.objects.exists()
    client.get(_path(altegio.arrival_url(AURORA_1, user_id=EMMA)))
    work()
    assert Connection.objects.live().exclude(owner=None).exists()


def test_adoption_leaves_a_location_to_the_owner_whose_answer_was_lost(
    client: Client, altegio: Sandbox, application: Application, work: Work
) -> None:
    """The location is active at Altegio before the portal knows which of its calls did it."""
    arrive(client, altegio, AURORA_1, user_id=EMMA)
    claim = Connection.objects.get()
    altegio.fault("drop_after", "activate")
    work(rounds=1)
    status = read_status(ask_now(requests.status(AURORA_1, 1)), "UTC")
    assert adopt(application, claim.location, not_none(status)) is None
    work()
    claim.refresh_from_db()
    assert (claim.state, claim.owner) == ("active", claim.claimant)


def _path(url: str) -> str:
    return url[url.index("/connect/") :]


def test_a_false_end_is_taken_back_even_after_an_earlier_connection(
    altegio: Sandbox, application: Application, connected_before: None, work: Work
) -> None:
    altegio.uninstall(AURORA_1)
    altegio.connect_elsewhere(AURORA_1, at=timezone.now() + timedelta(minutes=1))
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        ask_to_adopt(application, AURORA_1)
        work()
        adopted = Connection.objects.get()
        move(adopted, State.UNINSTALLED, "As if Altegio had said so.", ended_at=timezone.now())
        ask_status(adopted)
        work()
        adopted.refresh_from_db()
        assert adopted.state == "active"
