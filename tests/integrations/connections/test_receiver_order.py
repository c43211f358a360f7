"""Nothing depends on the order of a signal's receivers: the rows are the same in either order."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.dispatch import Signal
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ApiKey, Notification, OutgoingEmail
from billing.models import Payment
from integrations.alerts.models import Alert
from integrations.chat.models import ChatPanel
from integrations.chat.panels import set_panel
from integrations.connections.models import Application, Connection, ConnectionChange
from integrations.connections.signals import connection_changed, found_alive, granted_again, status_synced
from integrations.lifecycle.models import Callback
from integrations.messaging.channels import switch_channel
from integrations.messaging.models import ChannelSwitch
from integrations.outbox.models import OutgoingCall
from integrations.outbox.signals import call_ended
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.start import start_run
from integrations.sender_names.models import SenderNameList
from integrations.sender_names.names import replace_names
from sandbox import Sandbox
from tests.billing.conftest import Billing
from tests.callbacks import send_callback
from tests.integrations.connect.state_changes import PLAYS, World
from tests.marketplace import AURORA_1, EMMA, MARIA, arrive, emails_go_out, follow
from tests.working import Work

pytestmark = pytest.mark.django_db
SIGNALS = {
    "connection_changed": connection_changed,
    "granted_again": granted_again,
    "found_alive": found_alive,
    "status_synced": status_synced,
    "call_ended": call_ended,
}
Rows = dict[str, list[tuple[Any, ...]]]
Story = Callable[[World], None]


def whole_story(world: World) -> None:
    """Play arrival, activation, payment, freeze, a stranger's claim, an uninstall with a waiting payment,
    reconnection.
    """
    client, altegio, work = world.client, world.altegio, world.work
    Application.objects.create(altegio_id=1, trial_days=14)
    world.active()
    connection = Connection.objects.get()
    replace_names(connection, ["Aurora"])
    set_panel(connection, "https://chat.example.com/panel")
    switch_channel(connection, ChannelSwitch.Slug.SMS, is_available=False)
    _key, secret = ApiKey.objects.create_key(name="billing", scopes=["billing", "read"])
    billing = Billing(client, secret)
    billing.pay()
    work()
    for _ in range(2):
        altegio.freeze(AURORA_1)
        send_callback(client, "freeze")
        work()
        altegio.pay(AURORA_1)
        send_callback(client, "freeze")
        work()
    emails_go_out()
    follow(client, altegio, AURORA_1, user_id=MARIA)
    billing.pay(amount="5.00")
    OutgoingCall.objects.filter(kind="report_payment", state="queued").update(state="held")
    altegio.uninstall(AURORA_1)
    send_callback(client)
    work()
    emails_go_out()
    arrive(client, altegio, AURORA_1, user_id=EMMA)
    work()
    start_run(Reconciliation.Trigger.NIGHTLY)
    work()
    emails_go_out()


def frozen_from_the_start(world: World) -> None:
    """Play a lost answer to the activation, after which Altegio says frozen; then a payment and another freeze."""
    Application.objects.create(altegio_id=1, trial_days=14)
    world.lost(world.freeze_at_altegio)
    world.work()
    world.altegio.pay(AURORA_1)
    world.ask()
    world.freeze_at_altegio()
    world.ask()
    emails_go_out()


def rows() -> Rows:
    """Return the rows that stories leave, without keys and moments, which differ from run to run."""
    tables: dict[str, Any] = {
        "connections": Connection.objects.values_list(
            "location__altegio_id", "state", "reason", "owner__email", "paid_until", "warned", "ended_by",
            "next_payment_at__date", "trial_ends_at__date",
        ),
        "changes": ConnectionChange.objects.values_list("from_state", "to_state", "why"),
        "calls": OutgoingCall.objects.values_list("kind", "state", "reason"),
        "alerts": Alert.objects.values_list("kind", "text", "cleared_at__date"),
        "e-mails": OutgoingEmail.objects.values_list("template", "to"),
        "notifications": Notification.objects.values_list("kind", "person__email", "sent_at__date"),
        "payments": Payment.objects.values_list("external_id", "status", "error", "altegio_payment_id"),
        "callbacks": Callback.objects.values_list("event", "state", "note"),
        "findings": Finding.objects.values_list("kind", "after", "needs_person"),
        "chat panels": ChatPanel.objects.values_list("sync_state", "sync_error", "url"),
        "channels": ChannelSwitch.objects.values_list("sync_state", "sync_error", "is_available"),
        "sender names": SenderNameList.objects.values_list("sync_state", "names__name", "names__state"),
    }  # fmt: skip
    return {name: sorted(table, key=repr) for name, table in tables.items()}


@contextmanager
def reversed_receivers() -> Iterator[None]:
    """Make every signal call its receivers in the opposite order."""
    for signal in SIGNALS.values():
        _reverse(signal)
    try:
        yield
    finally:
        for signal in SIGNALS.values():
            _reverse(signal)


def _reverse(signal: Signal) -> None:
    signal.receivers.reverse()
    signal.sender_receivers_cache.clear()


@pytest.fixture
def play(altegio: Sandbox, work: Work, settings: Settings) -> Callable[[Story], Rows]:
    """Play a story and return the rows that it leaves, which are rolled back."""

    def run(story: Story) -> Rows:
        altegio.reset()
        altegio.configure(callbacks_enabled=False)
        settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid.uuid4().hex}}
        with transaction.atomic():
            story(World(Client(), altegio, work))
            left = rows()
            transaction.set_rollback(True)
        return left

    return run


def test_the_signals_that_are_reversed_have_receivers_to_reverse() -> None:
    alone = {"granted_again", "call_ended"}
    assert {name for name, signal in SIGNALS.items() if len(signal.receivers) > 1} == SIGNALS.keys() - alone


STORIES = {"the whole story": whole_story, "frozen from the start": frozen_from_the_start} | {
    f"from {before} to {after}": play for (before, after), play in PLAYS.items()
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_a_story_leaves_the_same_rows_in_either_receiver_order(play: Callable[[Story], Rows], story: Story) -> None:
    in_order = play(story)
    with reversed_receivers():
        reversed_order = play(story)

    assert in_order["connections"]
    assert in_order == reversed_order
