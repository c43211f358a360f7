"""Altegio's answer about a difference: what it changed, and whether a person must look."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from integrations.altegio.answers import AltegioState, ConnectionStatus
from integrations.connections.models import LIVE, Connection
from integrations.connections.signals import status_synced
from integrations.outbox.executor import call_ended
from integrations.outbox.models import CallState, OutgoingCall
from integrations.reconciliation.checks import differences
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.runs import finish_if_done
from integrations.status_sync.status_sync import AskPatiently, AskStatus


@receiver(status_synced)
def settle(connection: Connection, status: ConnectionStatus, **_: Any) -> None:
    """The connection has followed the answer already; write down what came of it."""
    findings = list(
        Finding.objects.filter(
            connection=connection, settled_at=None, run__state=Reconciliation.State.RUNNING
        ).select_related("run")
    )
    if not findings:
        return
    at_altegio = status.state in (AltegioState.ACTIVE, AltegioState.FROZEN)
    Finding.objects.filter(pk__in=[finding.pk for finding in findings]).update(
        after=connection.get_state_display(),
        needs_person=at_altegio != (connection.state in LIVE),
        settled_at=timezone.now(),
    )
    _note_differences(findings[0], connection, status)
    for finding in findings:
        finish_if_done(finding.run.pk)


@receiver(call_ended)
def give_up(call: OutgoingCall, reason: str, **_: Any) -> None:
    """Altegio did not answer in time: the run goes on without it, and says so."""
    if call.kind not in (AskStatus.name, AskPatiently.name) or call.state != CallState.EXPIRED:
        return
    open_ones = Finding.objects.filter(connection=call.connection_id, settled_at=None)
    runs = set(open_ones.values_list("run", flat=True))
    open_ones.update(after=f"Altegio did not answer: {reason}"[:300], needs_person=True, settled_at=timezone.now())
    for run_id in runs:
        finish_if_done(run_id)


def _note_differences(finding: Finding, connection: Connection, status: ConnectionStatus) -> None:
    Finding.objects.bulk_create(
        [
            Finding(
                run=finding.run,
                application_id=connection.application_id,
                connection=connection,
                salon_id=finding.salon_id,
                kind=Finding.Kind.DIFFERENCE,
                after=text[:300],
                needs_person=True,
                settled_at=timezone.now(),
            )
            for text in differences(connection, status)
        ]
    )
