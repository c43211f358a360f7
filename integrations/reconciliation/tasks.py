"""Celery's doors to the reconciliation."""

from celery import shared_task

from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.rechecks import recheck as recheck_in_turn
from integrations.reconciliation.start import start_run
from integrations.reconciliation.unconfirmed import recheck_unconfirmed
from partner_portal.core.queues import run_steps


@shared_task
def recheck() -> None:
    """Every few minutes: ask about the connections whose state is in doubt, and those whose turn it is."""
    run_steps(recheck_unconfirmed, recheck_in_turn)


@shared_task
def reconcile() -> None:
    """Every night: compare every connection with Altegio."""
    start_run(Reconciliation.Trigger.NIGHTLY)
