"""The course of a reconciliation: its lists are read, its questions answered, the run is ended."""

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

# Altegio may be away for hours, and the run waits for it; the next night's run does not.
MAX_DURATION = timedelta(hours=12)


def count_calls(run: Reconciliation, calls: int) -> None:
    """Add to the number of calls that the run has cost."""
    Reconciliation.objects.filter(pk=run.pk).update(calls=F("calls") + calls)


def list_ended(run: Reconciliation) -> None:
    """Record that one application's list was read, or will not be given; after the last, statuses are asked for."""
    Reconciliation.objects.filter(pk=run.pk).update(lists_left=F("lists_left") - 1)
    if Reconciliation.objects.filter(pk=run.pk, lists_left=0).update(statuses_left=night_budget()):
        # Beat's round would continue it too, but minutes later.
        transaction.on_commit(partial(wake, "integrations.reconciliation.tasks.recheck"))
    finish_if_done(run.pk)


def finish_if_done(run_id: int) -> None:
    """End the run when every list is read and every question answered. Call it in a transaction.

    The run is locked first: otherwise two last answers of the same moment would each see the other's question open.
    """
    run = Reconciliation.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.lists_left or run.statuses_left or run.state != Reconciliation.State.RUNNING or _waits_for_answers(run):
        return
    run.state, run.finished_at = Reconciliation.State.DONE, timezone.now()
    run.save(update_fields=["state", "finished_at"])


def _waits_for_answers(run: Reconciliation) -> bool:
    questions = OutgoingCall.objects.filter(kind=AskPatiently.name, state__in=UNFINISHED, pk__lte=run.last_question)
    return Finding.objects.filter(run=run, settled_at=None).exists() or questions.exists()
