"""Altegio's answer about a difference: what it changed, and whether a person must look."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from integrations.altegio.answers import AltegioState, ConnectionStatus
from integrations.lifecycle.asking import status_learned
from integrations.models.connection import LIVE, Connection
from integrations.reconcile.checks import differences
from integrations.reconcile.models import Finding, Reconciliation
from integrations.reconcile.runs import finish_if_done


@receiver(status_learned)
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
