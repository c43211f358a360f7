"""Celery tasks of the watch, the queues and retention."""

from celery import shared_task

from partner_portal.core.queues import forget_what_works_again, run_steps
from partner_portal.core.retention import delete_old
from partner_portal.core.watch import heal_stranded


@shared_task
def watch() -> None:
    """Repair rows that nothing will move, and forget failures that did not recur; runs each minute."""
    run_steps(heal_stranded, forget_what_works_again)


@shared_task
def delete_what_is_old() -> None:
    """Delete rows whose retention is over; runs each hour."""
    delete_old()
