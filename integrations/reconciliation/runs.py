"""The course of a reconciliation: its lists read, its questions answered, ended."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from integrations.reconciliation.models import Finding, Reconciliation

# Altegio may be away for hours, and the run waits for it; the next night does not.
MAX_DURATION = timedelta(hours=12)


def count_calls(run: Reconciliation, calls: int) -> None:
    """Add to what the run cost."""
    Reconciliation.objects.filter(pk=run.pk).update(calls=F("calls") + calls)


def list_ended(run: Reconciliation) -> None:
    """One application's list is read to its end, or will not be given."""
    Reconciliation.objects.filter(pk=run.pk).update(lists_left=F("lists_left") - 1)
    finish_if_done(run.pk)


def finish_if_done(run_id: int) -> None:
    """End the run when every list is read and every question answered. Within a transaction.

    The run is locked first: of two last answers at the same moment, each would see the other's question open.
    """
    Reconciliation.objects.select_for_update(no_key=True).get(pk=run_id)
    if Finding.objects.filter(run=run_id, settled_at=None).exists():
        return
    running = Reconciliation.objects.filter(pk=run_id, state=Reconciliation.State.RUNNING, lists_left=0)
    running.update(state=Reconciliation.State.DONE, finished_at=timezone.now())
