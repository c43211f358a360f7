"""Celery's doors to what the queues share."""

from celery import shared_task

from partner_portal.core.queues import forget_what_works_again, run_steps
from partner_portal.core.retention import delete_old
from partner_portal.core.watch import heal_stranded


@shared_task
def watch() -> None:
    """Each minute: what nothing waits for, and what failed and works again."""
    run_steps(heal_stranded, forget_what_works_again)


@shared_task
def delete_what_is_old() -> None:
    """Each hour: delete what has been kept for as long as it should be."""
    delete_old()
