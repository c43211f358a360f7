"""Celery tasks of the outbox."""

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from integrations.outbox.dispatcher import dispatch_due, is_anything_due, stop_dispatchers
from integrations.outbox.queue import wake_a_dispatcher
from integrations.outbox.sweep import expire_late_calls, recover_lost_calls
from partner_portal.core.queues import run_steps


@shared_task
def dispatch() -> None:
    """Execute the calls that are due."""
    dispatch_due(call_for_help=wake_a_dispatcher)


@shared_task
def sweep() -> None:
    """Recover lost calls, expire late ones, and dispatch those that nothing woke a worker for; runs each second."""
    run_steps(recover_lost_calls, expire_late_calls, dispatch_what_was_not_woken)


def dispatch_what_was_not_woken() -> None:
    """Execute the calls that are due though no message came."""
    if is_anything_due():
        dispatch_due(call_for_help=wake_a_dispatcher)


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    """Stop the dispatchers: a deployment does not wait for long."""
    stop_dispatchers()
