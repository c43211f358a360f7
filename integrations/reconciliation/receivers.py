"""Receivers of Altegio's answers about differences: what each changed, and whether a person must look."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from integrations.activation.signals import location_adopted
from integrations.altegio.answers import AltegioState, ConnectionStatus
from integrations.connections.models import LIVE, Connection, State
from integrations.connections.signals import status_synced, status_unknown
from integrations.reconciliation.checks import differences
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.runs import finish_if_done


@receiver(status_synced)
def settle(connection: Connection, status: ConnectionStatus, before: State, **_: Any) -> None:
    """Record the outcome of an answer while a reconciliation runs; the connection has already followed it."""
    run = Reconciliation.objects.filter(state=Reconciliation.State.RUNNING).first()
    if run is None:
        return
    at_altegio = status.state in (AltegioState.ACTIVE, AltegioState.FROZEN)
    outcome = {
        "after": connection.get_state_display(),
        "needs_person": at_altegio != (connection.state in LIVE),
        "settled_at": timezone.now(),
    }
    found = Finding.objects.filter(run=run, connection=connection, settled_at=None).update(**outcome)
    if not found and before != connection.state:
        _note(run, connection, _unnoticed_change(before, connection), before=before.label, **outcome)
    _note_differences(run, connection, status)
    finish_if_done(run.pk)


@receiver(location_adopted)
def settle_unknown(connection: Connection, **_: Any) -> None:
    """Settle what the reports call unknown, once its location was taken over."""
    unknown = Finding.objects.filter(
        application=connection.application_id,
        salon_id=connection.location.altegio_id,
        kind=Finding.Kind.UNKNOWN,
        connection=None,
    )
    unknown.update(connection=connection, needs_person=False, before="", after=connection.get_state_display())


@receiver(status_unknown)
def give_up(connection_id: int, why: str, **_: Any) -> None:
    """Close the findings of a connection whose status Altegio refused, or did not give in time.

    The run goes on without it, and the finding says so.
    """
    open_ones = Finding.objects.filter(connection=connection_id, settled_at=None)
    said = f"Altegio did not say what is true: {why}"
    open_ones.update(after=said[:300], needs_person=True, settled_at=timezone.now())
    for run in Reconciliation.objects.filter(state=Reconciliation.State.RUNNING):
        finish_if_done(run.pk)


def _unnoticed_change(before: State, connection: Connection) -> Finding.Kind:
    if before not in LIVE:
        return Finding.Kind.ALIVE
    return Finding.Kind.FREEZE if connection.state in LIVE else Finding.Kind.ENDED


def _note(run: Reconciliation, connection: Connection, kind: Finding.Kind, **fields: Any) -> None:
    Finding.objects.create(
        run=run,
        application_id=connection.application_id,
        connection=connection,
        salon_id=connection.location.altegio_id,
        kind=kind,
        **fields,
    )


def _note_differences(run: Reconciliation, connection: Connection, status: ConnectionStatus) -> None:
    """Record differing records once in a run: a connection may be asked about several times."""
    texts = differences(connection, status)
    if not texts or connection.findings.filter(run=run, kind=Finding.Kind.DIFFERENCE).exists():
        return
    for text in texts:
        now = timezone.now()
        _note(run, connection, Finding.Kind.DIFFERENCE, after=text[:300], needs_person=True, settled_at=now)
