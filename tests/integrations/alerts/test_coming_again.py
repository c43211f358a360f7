"""An alert ends with its cause, and the same cause raises it again; an open alert is not doubled."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from integrations.activation import staff
from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert, raise_alert_once
from integrations.alerts.receivers import clear_when_the_token_works, tell_of_struggling_call
from integrations.alerts.window import warn_of_late_activations
from integrations.connections.models import Application, Connection, State
from integrations.connections.transitions import lock, move
from integrations.outbox.models import OutgoingCall
from integrations.outbox.queue import cancel
from integrations.outbox.signals import call_ended
from integrations.outbox.token_stop import resume_token, stop_token
from integrations.webhooks.deliver import alert_key, clear_ended_alerts
from integrations.webhooks.models import Delivery
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db
Kind = Alert.Kind


def still_open() -> list[str]:
    return list(Alert.objects.filter(cleared_at=None).values_list("kind", flat=True))


@pytest.mark.parametrize("kind", Kind)
def test_each_comes_once_until_it_is_cleared_and_then_again(kind: Any) -> None:
    for _ in range(3):
        raise_alert(kind, "the same", "what happened")
    assert still_open() == [kind]
    clear_alerts(key="the same")
    raise_alert(kind, "the same", "what happened")
    assert still_open() == [kind]
    assert Alert.objects.count() == 2


def test_a_conflict_ends_with_the_state_and_may_come_again(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    connection = Connection.objects.get()
    for _ in range(2):
        move(lock(connection.pk), State.CONFLICT, "two")
        raise_alert(Kind.CONFLICT, f"conflict:{connection.pk}", "two", connection)
        assert still_open() == [Kind.CONFLICT]
        move(lock(connection.pk), State.GRANTED, "one")
        assert still_open() == []


def test_time_runs_out_a_second_time(
    client: Client, altegio: Sandbox, work: Work, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    arrive(client, altegio, AURORA_1)
    connection = Connection.objects.get()
    for _ in range(2):
        Connection.objects.filter(pk=connection.pk).update(deadline_at=timezone.now() + timedelta(minutes=9))
        warn_of_late_activations()
        warn_of_late_activations()
        assert still_open() == [Kind.WINDOW]
        move(lock(connection.pk), State.EXPIRED, "late")
        assert still_open() == []
        move(lock(connection.pk), State.GRANTED, "staff try again")


def test_a_review_ends_with_the_connection(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    connection = Connection.objects.get()
    for key in ("review", "crm-token"):
        raise_alert(Kind.REVIEW, f"{key}:{connection.pk}", "look", connection)
    staff.pass_review(connection.pk)
    assert Alert.objects.get(cleared_at=None).key == f"crm-token:{connection.pk}"
    move(lock(connection.pk), State.UNINSTALLED, "over")
    assert Kind.REVIEW not in still_open()


def ended(call: OutgoingCall, state: str) -> None:
    call.state = state
    call_ended.send(sender=OutgoingCall, call=call, reason="")


def test_a_failed_call_is_forgotten_when_a_later_one_about_the_same_is_done(db: None) -> None:
    def call(number: int, payment: int) -> OutgoingCall:
        return OutgoingCall.objects.create(
            kind="report_payment", key=f"payment:{number}", priority=30, params={"payment": payment}
        )

    ended(call(1, payment=1), "refused")
    ended(call(2, payment=2), "refused")
    ended(call(3, payment=1), "expired")
    assert len(still_open()) == 2
    ended(call(4, payment=1), "cancelled")
    assert len(still_open()) == 2, "it found nothing to say: that mends nothing"
    ended(call(5, payment=1), "done")
    assert len(still_open()) == 1
    cancel(OutgoingCall.objects.filter(pk=call(6, payment=2).pk), "The payment was refunded.")
    assert still_open() == []


def test_a_struggling_call_raises_one_alert_until_it_ends() -> None:
    call = OutgoingCall.objects.create(kind="report_payment", key="one", priority=30, params={"payment": 1})
    for _ in range(2):
        tell_of_struggling_call(call, "Bad gateway")
        assert len(still_open()) == 1
    clear_alerts()
    tell_of_struggling_call(call, "Bad gateway")
    assert still_open() == [], "staff know"

    other = OutgoingCall.objects.create(kind="report_payment", key="two", priority=30, params={"payment": 1})
    tell_of_struggling_call(other, "Bad gateway")
    assert len(still_open()) == 1
    ended(other, "cancelled")
    assert still_open() == []


def test_a_refused_token_may_be_refused_again(db: None) -> None:
    for _ in range(2):
        stop_token("no")
        assert still_open() == [Kind.TOKEN]
        resume_token()
        clear_when_the_token_works()
        assert still_open() == []


def test_the_alert_about_events_ends_with_the_last_dead_letter(db: None) -> None:
    application = Application.objects.create(altegio_id=1)
    delivery = Delivery.objects.create(
        target="log", application=application, event_ids=[1], count=1, state=Delivery.State.DEAD
    )
    raise_alert(Kind.EVENTS, alert_key("log", application.pk), "dead")
    clear_ended_alerts()
    assert still_open() == [Kind.EVENTS]
    delivery.delete()
    clear_ended_alerts()
    assert still_open() == []


def test_an_alert_cleared_by_staff_stays_cleared_though_its_cause_recurs_nightly(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    connection = Connection.objects.get()
    for _ in range(2):
        raise_alert_once(Kind.UNKNOWN, f"alive:{connection.pk}:None", "alive", connection)
        clear_alerts()
    assert Alert.objects.count() == 1
