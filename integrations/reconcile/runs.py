"""The course of a reconciliation: begun once, its lists read, its questions answered, ended."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from integrations.models.application import Application, application_for
from integrations.models.connection import LIVE, Connection
from integrations.outbox.queue import new_call, queue
from integrations.reconcile.models import Finding, Reconciliation

# Altegio may be away for hours, and the run waits for it; the next night does not.
LONGEST = timedelta(hours=12)


def start_run(trigger: Reconciliation.Trigger) -> Reconciliation:
    """Begin to compare every connection with Altegio, or join the run that is under way."""
    now = timezone.now()
    overdue = Reconciliation.objects.filter(state=Reconciliation.State.RUNNING, started_at__lt=now - LONGEST)
    overdue.update(state=Reconciliation.State.ABANDONED, finished_at=now)
    try:
        with transaction.atomic():
            return _begin(trigger)
    except IntegrityError:
        return Reconciliation.objects.get(state=Reconciliation.State.RUNNING)


def _begin(trigger: Reconciliation.Trigger) -> Reconciliation:
    application_for()  # the default application has no row before it is first asked for
    applications = list(Application.objects.order_by("pk"))
    run = Reconciliation.objects.create(
        trigger=trigger,
        lists_left=len(applications),
        expected=Connection.objects.filter(state__in=LIVE).count(),
    )
    for application in applications:
        ask_for_page(run, application, page=1)
    finish_if_done(run.pk)
    return run


def ask_for_page(run: Reconciliation, application: Application, *, page: int) -> None:
    """Queue the call for one page of an application's list."""
    from integrations.reconcile.kinds import ListPage

    key = f"reconcile:{run.pk}:{application.altegio_id}:{page}"
    queue([new_call(ListPage, key, run=run.pk, application=application.altegio_id, page=page)])
    count_calls(run, 1)


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
