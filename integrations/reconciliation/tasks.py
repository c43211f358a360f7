"""Celery tasks of the reconciliation."""

from celery import shared_task

from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.rechecks import recheck as recheck_in_turn
from integrations.reconciliation.start import start_run
from integrations.reconciliation.unconfirmed import recheck_unconfirmed
from partner_portal.core.queues import run_steps


@shared_task
def recheck() -> None:
    """Ask about unconfirmed connections and those whose turn it is; runs every few minutes."""
    run_steps(recheck_unconfirmed, recheck_in_turn)


@shared_task
def reconcile() -> None:
    """Compare every connection with Altegio; runs every night."""
    start_run(Reconciliation.Trigger.NIGHTLY)
