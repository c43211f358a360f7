"""Celery's doors to the outbox."""

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from integrations.outbox.pump import run_pump, something_is_due, stop_pumps
from integrations.outbox.sweep import expire_late_calls, recover_lost_calls
from partner_portal.dispatch import enqueue
from partner_portal.queues import run_steps


@shared_task
def pump() -> None:
    """Carry what is due."""
    run_pump(call_for_help=lambda: enqueue(pump))


@shared_task
def sweep() -> None:
    """Each second: what crashed, what is late, what was not woken."""
    run_steps(recover_lost_calls, expire_late_calls, carry_what_was_not_woken)


def carry_what_was_not_woken() -> None:
    """Carry what is due though no message came."""
    if something_is_due():
        run_pump(call_for_help=lambda: enqueue(pump))


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    """A deployment does not wait for long."""
    stop_pumps()
