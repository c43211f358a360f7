"""The course of a reconciliation: its lists read, its questions answered, ended."""

from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations.outbox.models import UNFINISHED, OutgoingCall
from integrations.reconciliation.budget import night_budget
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.status_sync.status_sync import AskPatiently
from partner_portal.core.wake import wake

# Altegio may be away for hours, and the run waits for it; the next night does not.
MAX_DURATION = timedelta(hours=12)


def count_calls(run: Reconciliation, calls: int) -> None:
    """Add to what the run cost."""
    Reconciliation.objects.filter(pk=run.pk).update(calls=F("calls") + calls)


def list_ended(run: Reconciliation) -> None:
    """One application's list is read to its end, or will not be given. After the last one, statuses are asked for."""
    Reconciliation.objects.filter(pk=run.pk).update(lists_left=F("lists_left") - 1)
    if Reconciliation.objects.filter(pk=run.pk, lists_left=0).update(statuses_left=night_budget()):
        # Beat's round would go on with it, too, minutes later.
        transaction.on_commit(partial(wake, "integrations.reconciliation.tasks.recheck"))
    finish_if_done(run.pk)


def finish_if_done(run_id: int) -> None:
    """End the run when every list is read and every question answered. Within a transaction.

    The run is locked first: of two last answers at the same moment, each would see the other's question open.
    """
    run = Reconciliation.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.lists_left or run.statuses_left or run.state != Reconciliation.State.RUNNING or _waits_for_answers(run):
        return
    run.state, run.finished_at = Reconciliation.State.DONE, timezone.now()
    run.save(update_fields=["state", "finished_at"])


def _waits_for_answers(run: Reconciliation) -> bool:
    questions = OutgoingCall.objects.filter(kind=AskPatiently.name, state__in=UNFINISHED, pk__lte=run.last_question)
    return Finding.objects.filter(run=run, settled_at=None).exists() or questions.exists()
