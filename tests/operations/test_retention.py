"""What is deleted when its time is over, and what stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import models
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.emails import queue_email
from accounts.models import OutgoingEmail, User
from integrations.activation.call_kinds import Activate
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Arrival, Chain, Connection, RefusedArrival
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.outbox.queue import new_call, queue
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.telephony.call_kinds import SwitchTelephony
from integrations.telephony.models import PhoneCall
from partner_portal.core import retention
from partner_portal.core.retention import delete_old
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive

pytestmark = pytest.mark.django_db


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def test_finished_calls_go_with_their_attempts_and_the_connection_stays(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    kept = OutgoingCall.objects.filter(kind="activate").latest("pk")
    OutgoingCall.objects.exclude(pk=kept.pk).update(finished_at=ago(181))
    OutgoingCall.objects.filter(pk=kept.pk).update(finished_at=ago(179))

    assert delete_old()["calls"] > 0
    assert list(OutgoingCall.objects.all()) == [kept]
    assert set(Attempt.objects.values_list("call", flat=True)) == {kept.pk}
    assert Connection.objects.filter(state="active").count() == 2


def test_a_call_that_waits_stays_however_old_it_is() -> None:
    queue([new_call(SwitchTelephony, "telephony:1:1", ordering_key="chain:1", chain=1, on=True)])
    OutgoingCall.objects.update(created_at=ago(1000), due_at=ago(1000))
    delete_old()
    assert OutgoingCall.objects.count() == 1


def test_nothing_but_attempts_goes_with_a_call() -> None:
    """Payments and the like are kept: what refers to a call must not be deleted with it."""
    referring = {relation.related_model: relation.on_delete for relation in OutgoingCall._meta.related_objects}
    assert [model for model, on_delete in referring.items() if on_delete is models.CASCADE] == [Attempt]


def test_refused_and_unregistered_arrivals_go_and_registered_ones_stay(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    arrive(client, altegio, AURORA_2, user_id=None)
    client.get("/connect/?salon_id=none")
    registered = Arrival.objects.exclude(claim="").get()

    def let_pass(days: float) -> Any:
        Arrival.objects.update(arrived_at=ago(days))
        RefusedArrival.objects.update(at=ago(days))
        deleted = delete_old()
        return deleted["refused arrivals"], deleted["unregistered arrivals"]

    assert [let_pass(29), let_pass(31), let_pass(91)] == [(0, 0), (1, 0), (0, 1)]
    assert Arrival.objects.get() == registered


def test_emails_go_sent_or_not() -> None:
    emma = User.objects.create_user("emma@aurora.example")
    queue_email("welcome", emma, key="old")
    queue_email("welcome", emma, key="new")
    OutgoingEmail.objects.filter(key="old").update(created_at=ago(91))
    delete_old()
    assert OutgoingEmail.objects.get().key == "new"


@pytest.mark.leaves_stranded("a saved call is planted without its outgoing call")
def test_saved_calls_go_once_altegio_has_them() -> None:
    chain = Chain.objects.create(altegio_id=1)
    for call_id, state, days in (("old", "saved", 181), ("new", "saved", 1), ("waits", "queued", 181)):
        PhoneCall.objects.create(chain=chain, call_id=call_id, phone="1", state=state, received_at=ago(days))
    delete_old()
    assert set(PhoneCall.objects.values_list("call_id", flat=True)) == {"new", "waits"}


def test_an_alert_goes_only_after_it_was_cleared() -> None:
    Alert.objects.create(key="open", kind="call", text="x", raised_at=ago(400))
    Alert.objects.create(key="cleared", kind="call", text="x", raised_at=ago(400), cleared_at=ago(91))
    Alert.objects.create(key="cleared lately", kind="call", text="x", raised_at=ago(400), cleared_at=ago(1))
    delete_old()
    assert set(Alert.objects.values_list("key", flat=True)) == {"open", "cleared lately"}


def test_sessions_go_with_their_end_whatever_is_set(client: Client, settings: Settings) -> None:
    for name in dir(settings):
        if name.startswith("RETENTION_"):
            setattr(settings, name, 0)
    client.force_login(User.objects.create_user("emma@aurora.example"))
    ended, lasting = (
        Session.objects.create(session_key=key, expire_date=ago(days)) for key, days in (("a", 1), ("b", -1))
    )
    assert delete_old()["sessions"] == 1
    assert not Session.objects.filter(pk=ended.pk).exists()
    assert Session.objects.filter(pk=lasting.pk).exists()
    assert client.get("/account/").status_code == 200


@pytest.mark.leaves_stranded("a run is planted that nothing goes on with")
def test_reports_of_reconciliations_go_with_their_findings() -> None:
    application = Application.objects.create(altegio_id=1)
    for state, days in (("done", 91), ("abandoned", 91), ("done", 89), ("running", None)):
        finished_at = None if days is None else ago(days)
        run = Reconciliation.objects.create(state=state, started_at=ago(100), finished_at=finished_at)
        for settled_at in (finished_at, None):
            Finding.objects.create(run=run, application=application, kind="unknown", settled_at=settled_at)
    deleted = delete_old()
    assert (deleted["findings"], deleted["reconciliations"]) == (4, 2)
    assert list(Reconciliation.objects.order_by("pk").values_list("state", flat=True)) == ["done", "running"]
    assert Finding.objects.count() == 4


# What is written again and again, and by which retention it goes.
SWEPT = {
    "accounts.Notification": "notifications",
    "accounts.OutgoingEmail": "outgoing_emails",
    "alerts.Alert": "cleared alerts",
    "chat.ChatSignal": "chat signals",
    "connections.RefusedArrival": "refused arrivals",
    "core.FailedItem": "dead letters",
    "location_profiles.LocationPerson": "people of locations",
    "messaging.MessageStatus": "message statuses",
    "messaging.RequestedMessage": "requested messages",
    "messaging.StatusBatch": "message statuses",
    "outbox.Attempt": "calls",
    "outbox.OutgoingCall": "calls",
    "partner_events.NamedPerson": "events for the partner's systems",
    "partner_events.PartnerEvent": "events for the partner's systems",
    "partner_events.WebhookDelivery": "events for the partner's systems",
    "reconciliation.Finding": "findings",
    "reconciliation.Reconciliation": "reconciliations",
    "sessions.Session": "sessions",
    "telephony.PhoneCall": "saved calls",
    "webhooks.Delivery": "deliveries",
    "webhooks.Event": "events",
}
# What is kept for good, and why it does not grow without end.
KEPT = {
    "what was done and paid, and by whom: what an owner, a partner or a tax office asks for years later": {
        *("admin.LogEntry", "connections.Arrival", "connections.ArrivalLocation", "connections.Connection"),
        *("connections.ConnectionChange", "lifecycle.Callback", "backoffice.ConnectionNote", "core.ListExport"),
        *("billing.Payment", "billing.PaymentChange", "billing.PaymentLink", "billing.PeriodNotice"),
        *("sender_names.SenderName", "location_profiles.ErasedPerson"),
    },
    "a row for a day or a month": {
        *("backoffice.DailyCounts", "billing.MonthlyFigures", "messaging.DailyVolume", "telephony.NotificationDay"),
    },
    "a row for each person, application, location, chain or connection, which goes or changes with it": {
        *("accounts.User", "accounts.AltegioIdentity", "accounts.Authenticator", "accounts.BackupCode"),
        *("accounts.Customer", "accounts.User_groups", "accounts.User_user_permissions", "billing.Discount"),
        *("connections.Application", "connections.BrandLogo", "connections.Chain", "connections.Installation"),
        *("connections.Location", "chat.ChatPanel", "activation.TakenSettings", "location_profiles.LocationProfile"),
        *("messaging.ChannelSwitch", "messaging.ReplacedApiKey", "sender_names.SenderNameList"),
        *("telephony.PhoneLines", "user_tokens.ApplicationToken", "user_tokens.UserToken", "billing.TariffOption"),
        *("webhook_settings.WebhookSettings",),
    },
    "what the partner's people set up, or the program itself: a few rows": {
        *("accounts.ApiKey", "rest_framework_api_key.APIKey", "auth.Group", "auth.Group_permissions"),
        *("auth.Permission", "contenttypes.ContentType", "core.FeedEnd", "alerts.AlertChannels"),
        *("contract_drift.Drift", "handover.SigningKey", "messaging.CallbackAddress", "outbox.KnownHost"),
        *("outbox.RateBudget", "outbox.TokenStop", "partner_events.WebhookEndpoint", "telephony.ExchangeWebhook"),
    },
}


def test_of_every_table_it_is_known_how_it_ends() -> None:
    tables = {model._meta.label for model in apps.get_models(include_auto_created=True) if not model._meta.proxy}
    kept = {label for labels in KEPT.values() for label in labels}
    assert tables - SWEPT.keys() - kept == set(), "say in SWEPT or KEPT what becomes of its rows"
    assert (SWEPT.keys() | kept) - tables == set()
    assert set(SWEPT.values()) <= set(retention.RETENTIONS.names())


def test_the_days_are_a_setting_and_none_keeps_for_good(settings: Settings) -> None:
    RefusedArrival.objects.create(reason="x", at=ago(400))
    settings.RETENTION_REFUSED_ARRIVALS_DAYS = 0
    assert delete_old()["refused arrivals"] == 0
    settings.RETENTION_REFUSED_ARRIVALS_DAYS = 399
    assert delete_old()["refused arrivals"] == 1


def test_many_rows_go_in_batches(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    RefusedArrival.objects.bulk_create(RefusedArrival(reason="x", at=ago(40)) for _ in range(2500))
    with django_assert_max_num_queries(40):
        assert delete_old()["refused arrivals"] == 2500


def test_what_fails_keeps_no_other_from_being_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention.RETENTIONS, "_entries", {})
    done = []

    def fail(_before: datetime) -> int:
        raise RuntimeError

    def delete(before: datetime) -> int:
        done.append(before)
        return 0

    retention.register_retention("first", "RETENTION_CALLS_DAYS", fail)
    retention.register_retention("second", "RETENTION_CALLS_DAYS", delete)
    delete_old()
    assert ago(180.1) < done[0] <= ago(180)


@pytest.mark.leaves_stranded("its first call is deleted")
def test_a_later_activation_is_queued_though_the_first_is_forgotten(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    arrive(client, altegio, AURORA_1)
    connection = Connection.objects.get()
    activations = OutgoingCall.objects.filter(kind="activate")
    activations.update(state="done")
    queue([Activate.again(connection, turn=0)])
    activations.earliest("pk").delete()
    activations.update(state="done")
    queue([Activate.again(connection, turn=0)])
    assert activations.count() == 2
