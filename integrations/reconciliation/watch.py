"""Watch checks for reconciliations that would never end, and for findings that no question is about."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.outbox.watch import unfinished
from integrations.reconciliation.call_kinds import ListPage
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.runs import MAX_DURATION, finish_if_done
from integrations.status_sync.status_sync import AskPatiently, AskStatus, ask_status
from partner_portal.core.watch import register_check

RUNNING = Reconciliation.State.RUNNING


def _endless(now: datetime) -> QuerySet[Reconciliation]:
    asked = Exists(Finding.objects.filter(run=OuterRef("pk"), settled_at=None))
    # Only one run exists at a time, so every unfinished page belongs to it.
    waits = unfinished(kind=ListPage.name)
    # A run that may still ask is continued by beat.
    questions = unfinished(kind=AskPatiently.name, pk__lte=OuterRef("last_question"))
    stands_still = Q(statuses_left=0) & ~waits & ~asked & ~questions
    return Reconciliation.objects.filter(Q(started_at__lt=now - MAX_DURATION) | stands_still, state=RUNNING)


def _abandon(run: Reconciliation) -> None:
    finish_if_done(run.pk)
    running = Reconciliation.objects.filter(pk=run.pk, state=RUNNING)
    running.update(state=Reconciliation.State.ABANDONED, finished_at=timezone.now())


def _unasked(now: datetime) -> QuerySet[Finding]:
    waits = unfinished(connection=OuterRef("connection"), kind__in=(AskStatus.name, AskPatiently.name))
    return Finding.objects.filter(~waits, settled_at=None, connection__isnull=False, run__state=RUNNING)


def _ask(finding: Finding) -> None:
    if finding.connection is not None:
        ask_status(finding.connection, patient=True)


register_check("reconciliation: running", _endless, _abandon, by_age=True)
register_check("finding: to be settled", _unasked, _ask)
