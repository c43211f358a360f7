"""Start of a reconciliation: one runs at a time."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.connections.models import Application, Connection, application_for
from integrations.reconciliation.call_kinds import ask_for_page
from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.runs import MAX_DURATION, finish_if_done


def start_run(trigger: Reconciliation.Trigger) -> Reconciliation:
    """Begin to compare every connection with Altegio, or join the run that is under way."""
    now = timezone.now()
    overdue = Reconciliation.objects.filter(state=Reconciliation.State.RUNNING, started_at__lt=now - MAX_DURATION)
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
        expected=Connection.objects.live().count(),
    )
    for application in applications:
        ask_for_page(run, application, page=1)
    finish_if_done(run.pk)
    return run
