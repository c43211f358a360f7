"""Each check finds its own stranded row, heals it, and tells staff; on PostgreSQL it reads by an index."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection as database
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Notification, OutgoingEmail, User
from billing.models import Discount, Payment, PaymentLink, TariffOption
from integrations.alerts.models import Alert
from integrations.chat.models import ChatPanel, ChatSignal
from integrations.connections.models import Application, Chain, Connection, Installation, Location
from integrations.lifecycle.models import Callback
from integrations.messaging.models import CallbackAddress, ChannelSwitch, RequestedMessage, StatusBatch
from integrations.outbox.models import OutgoingCall
from integrations.partner_events.models import PartnerEvent, WebhookDelivery, WebhookEndpoint
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.sender_names.models import SenderNameList
from integrations.telephony.models import PhoneCall
from integrations.webhooks.models import Delivery, Event
from partner_portal.core.models import FailedItem
from partner_portal.core.watch import CHECKS, Check, found, heal_stranded
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=4)
FILLING = Path(__file__).parents[2] / "bench/filling.sql"


def _payment(connection: Connection, **fields: object) -> None:
    place = {"connection": connection, "application": connection.application, "location": connection.location}
    day = connection.arrived_at.replace(microsecond=0)
    period = {"paid_at": day, "period_from": day, "period_to": day}
    Payment.objects.create(source="admin", amount=5, currency="EUR", **place, **period, **fields)


def _link(connection: Connection) -> None:
    option, _made = TariffOption.objects.get_or_create(application=connection.application, altegio_id=1)
    PaymentLink.objects.create(connection=connection, option=option)


def _sender_names(connection: Connection) -> None:
    installation = Installation.at(connection.application, connection.location)
    SenderNameList.objects.create(installation=installation, sync_state="queued")


def _channel(connection: Connection) -> None:
    installation = Installation.at(connection.application, connection.location)
    ChannelSwitch.objects.create(installation=installation, slug="sms", is_available=True, sync_state="queued")


def _statuses(_connection: Connection) -> None:
    StatusBatch.objects.create(address=CallbackAddress.objects.create(host="app", path="/x"), size=1)


def _message(connection: Connection, state: str) -> None:
    RequestedMessage.objects.create(connection=connection, send_id="s", state=state, received_at=LONG_AGO)


def _panel(connection: Connection) -> None:
    ChatPanel.objects.create(installation=connection.installation, url="https://x.example/", sync_state="queued")


def _chain(**fields: object) -> Chain:
    return Chain.objects.create(altegio_id=777, crm_token="crm-token-777", **fields)


def _callback(connection: Connection, state: str) -> None:
    Callback.objects.create(
        event="freeze",
        salon_id=AURORA_1,
        application_altegio_id=1,
        body="{}",
        state=state,
        connection=connection if state == "asked" else None,
        received_at=timezone.now() - timedelta(hours=1),
    )


def _event(connection: Connection) -> None:
    keys = Installation.objects.get(location=connection.location)
    Event.objects.create(installation=keys, body="{}", digest="d", received_at=LONG_AGO)


def _delivery(connection: Connection) -> None:
    Delivery.objects.create(target="log", application=connection.application, event_ids=[], count=0, due_at=LONG_AGO)


def _partner_event(connection: Connection) -> PartnerEvent:
    return PartnerEvent.objects.create(
        type="payment.failed", application=connection.application, body="{}", created_at=LONG_AGO
    )


def _webhook_delivery(connection: Connection) -> None:
    endpoint = WebhookEndpoint.objects.create(url="https://partner.example/", secret="whsec_x", is_active=False)
    event = _partner_event(connection)
    PartnerEvent.objects.filter(pk=event.pk).update(position=event.pk)
    WebhookDelivery.objects.create(endpoint=endpoint, event=event, due_at=LONG_AGO - timedelta(days=4))


def _finding(connection: Connection) -> None:
    run = Reconciliation.objects.create(trigger="command")
    Finding.objects.create(run=run, application=connection.application, connection=connection, kind="missing")


def _lost_claim(connection: Connection, state: str) -> None:
    now = timezone.now()
    Connection.objects.filter(pk=connection.pk).update(state=state, deadline_at=now + timedelta(minutes=30))
    OutgoingCall.objects.filter(connection=connection, kind="activate").delete()


def _lost_call(connection: Connection) -> None:
    OutgoingCall.objects.create(kind="ask_status", key="lost", connection=connection, priority=20, state="sending")


def _news(_connection: Connection) -> None:
    Notification.objects.create(
        key="n", person=User.objects.create_user("x@y.example"), kind="k", subject=1, at=LONG_AGO
    )


Plant = Callable[[Connection], object]
PLANTED: dict[str, list[Plant]] = {
    "callback: asked": [lambda c: _callback(c, "asked")],
    "callback: waiting": [lambda c: _callback(c, "waiting")],
    "channel: queued": [_channel],
    "chat panel: queued": [_panel],
    "chat signal: queued": [lambda c: ChatSignal.objects.create(connection=c, kind="new_message")],
    "connection: undecided": [lambda c: _lost_claim(c, "granted"), lambda c: _lost_claim(c, "conflict")],
    "delivery: waiting": [_delivery],
    "discount: queued": [lambda c: Discount.objects.create(connection=c, percent=5)],
    "event: to be forwarded": [_event],
    "finding: to be settled": [_finding],
    "e-mail: not sent": [
        lambda _c: OutgoingEmail.objects.create(key="l", template="t", to="x@y.example", created_at=LONG_AGO)
    ],
    "notification: not sent": [_news],
    "outgoing call": [_lost_call],
    "partner event: to be placed": [_partner_event],
    "payment link: queued": [_link],
    "payment: queued": [lambda c: _payment(c, status="queued")],
    "payment: refund queued": [
        lambda c: _payment(c, status="refund_queued"),
        lambda c: _payment(c, status="refund_queued", altegio_payment_id=5),
    ],
    "phone call: kept": [
        lambda _c: PhoneCall.objects.create(
            chain=_chain(), call_id="a", type="incoming", diversion="1", state="kept", kept_until=LONG_AGO
        )
    ],
    "phone call: queued": [
        lambda _c: PhoneCall.objects.create(chain=_chain(), call_id="a", type="incoming", diversion="1")
    ],
    "reconciliation: running": [
        lambda _c: Reconciliation.objects.create(trigger="command"),
        lambda _c: Reconciliation.objects.create(trigger="command", started_at=LONG_AGO),
    ],
    "sender names: queued": [_sender_names],
    "message statuses: waiting": [_statuses],
    "message: to be answered": [lambda c: _message(c, "requested"), lambda c: _message(c, "handed_over")],
    "webhook delivery: waiting": [_webhook_delivery],
    "telephony: being switched": [
        lambda _c: _chain(telephony="enabling"),
        lambda _c: _chain(telephony="disabling"),
        lambda _c: Chain.objects.create(altegio_id=778, telephony="enabling"),
    ],
}
EACH = [(name, plant) for name, plants in PLANTED.items() for plant in plants]


def stranded() -> set[str]:
    return {name for name, count in found().items() if count}


@pytest.fixture
def connection(client: Client, altegio: Sandbox, work: Callable[..., None]) -> Connection:
    arrive(client, altegio, AURORA_1)
    work()
    return Connection.objects.get()


def test_every_check_is_tried() -> None:
    assert set(PLANTED) == {check.name for check in CHECKS}


@pytest.mark.parametrize("ended", [False, True], ids=["connected", "disconnected"])
@pytest.mark.parametrize(("name", "plant"), EACH, ids=[f"{name}-{number}" for number, (name, _) in enumerate(EACH)])
def test_what_is_stranded_moves_and_is_told(
    connection: Connection, work: Callable[..., None], name: str, plant: Any, ended: bool
) -> None:
    if ended:
        Connection.objects.update(state="uninstalled", ended_at=timezone.now())
    plant(connection)
    assert stranded() == {name}
    heal_stranded()
    assert stranded() == set()
    assert not FailedItem.objects.filter(queue__startswith="watch ").exists()
    assert Alert.objects.get(kind="watch", cleared_at=None).key == f"watch:{name}"


@pytest.mark.parametrize("state", ["granted", "conflict"])
def test_a_lost_claim_whose_window_is_over_ends(connection: Connection, state: str) -> None:
    _lost_claim(connection, state)
    Connection.objects.update(deadline_at=timezone.now() - timedelta(minutes=1))
    heal_stranded()
    connection.refresh_from_db()
    assert (connection.state, connection.ended_by) == ("expired" if state == "granted" else "failed", "window")


def test_after_a_long_stop_no_fault_is_claimed(connection: Connection) -> None:
    _event(connection)
    heal_stranded()
    assert "After a stop of all workers" in Alert.objects.get(kind="watch").text


# By which index each check finds its rows among all that have ended; one of two that serve it alike.
FOUND_BY: dict[str, set[str | None]] = {
    "callback: asked": {"callback_open"},
    "callback: waiting": {"callback_waiting"},
    "channel: queued": {"channel_queued"},
    "chat panel: queued": {"chat_panel_queued"},
    "chat signal: queued": {"chat_signal_queued", "chat_signal_by_state"},
    "connection: undecided": {"connection_by_state", "one_undecided_claim_of_a_person", "connection_by_claim"},
    "delivery: waiting": {"delivery_waiting"},
    "discount: queued": {"discount_queued"},
    "event: to be forwarded": {"event_waiting"},
    "finding: to be settled": {"finding_open"},
    "e-mail: not sent": {"email_unsent"},
    "message statuses: waiting": {"status_batch_waiting"},
    "message: to be answered": {"requested_message_unanswered"},
    "notification: not sent": {"notification_waiting"},
    "outgoing call": {"call_being_sent"},
    "partner event: to be placed": {"partner_event_unplaced", "partner_event_by_age"},
    "payment link: queued": {"payment_link_queued"},
    "payment: queued": {"payment_by_status"},
    "payment: refund queued": {"payment_by_status"},
    "phone call: kept": {"phone_call_kept_until", "saved_call_by_state"},
    "phone call: queued": {"saved_call_by_state"},
    "reconciliation: running": {"one_running_reconciliation"},
    "sender names: queued": {"sender_names_queued"},
    "telephony: being switched": {"chain_being_switched"},
    "webhook delivery: waiting": {"webhook_delivery_due"},
}
ENDED, MAX_THAT_WAIT = 3000, 1000


def steps_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps_of(below)


def rows_read(step: dict[str, Any]) -> float:
    """By a step that reads a table; of each of its rounds."""
    if "Relation Name" not in step:
        return 0
    passed_over = sum(step.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck", "Join Filter"))
    return float(step["Actual Loops"] * (step["Actual Rows"] + passed_over))


@pytest.fixture
def years() -> None:
    """A portal in which thousands of each kind have ended, and some hundreds wait as they should."""
    sms, telephony = (Application.objects.get_or_create(altegio_id=number)[0].pk for number in (1, 2))
    names: dict[str, Any] = {"count": ENDED, "now": timezone.now(), "sms": sms, "telephony": telephony}
    with database.cursor() as cursor:
        cursor.execute(FILLING.read_text(), names)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in database.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)
        cursor.execute("ANALYZE")


def a_new_connection() -> Connection:
    place = {
        "application": Application.objects.get(altegio_id=1),
        "location": Location.objects.create(altegio_id=ENDED + 1),
    }
    Installation.objects.create(**place)
    now = timezone.now()
    return Connection.objects.create(
        **place, state="active", claim="u:1", arrived_at=now, last_arrived_at=now, deadline_at=now
    )


def account_of(check: Check) -> list[dict[str, Any]]:
    """The steps that PostgreSQL took to find its rows."""
    account = check.find(timezone.now()).order_by()[:500].explain(format="json", analyze=True)
    return list(steps_of(json.loads(account)[0]["Plan"]))


@pytest.mark.skipif(database.vendor != "postgresql", reason="the filling is PostgreSQL's")
def test_each_check_reads_what_waits_by_its_index_and_nothing_that_has_ended(years: None) -> None:
    assert stranded() == set()
    connection, by_name = a_new_connection(), {check.name: check for check in CHECKS}
    for name, plant in EACH:
        with transaction.atomic():
            plant(connection)
            steps = account_of(by_name[name])
            transaction.set_rollback(True)
        assert FOUND_BY[name] & {step.get("Index Name") for step in steps}, f"{name}: {steps}"
        assert sum(map(rows_read, steps)) < MAX_THAT_WAIT, f"{name}: {steps}"
