"""Comparison of Altegio's list with the stored connections. A difference is a question, not yet a fact.

The status call decides about every difference (`status_sync.apply_status`); the list only says where to look first.
It costs one call for a thousand locations, and cannot tell which are frozen.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from integrations.altegio.location_list import RemoteLocation
from integrations.connections.models import LIVE, Application, Connection, Location, State
from integrations.locations.call_kinds import remember
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.runs import count_calls
from integrations.status_sync.status_sync import ask_status_of_each
from partner_portal.core.bulk_writes import store_each

Kind = Finding.Kind
# More than this cannot have left unreported in one night: it makes one finding, not one for each in one transaction.
MAX_MISSING = 1000


def compare_page(run: Reconciliation, application: Application, remote: Sequence[RemoteLocation]) -> None:
    """Compare one page of the list: store its titles, and ask about connections whose states differ."""
    by_id = {place.id: place for place in remote}
    now = timezone.now()
    current = _current(application, by_id)
    alive = [connection.pk for connection in current.values() if connection.state in LIVE]
    # Connections are locked before locations, and both before the run, as where a finding is settled.
    _take_titles(run, application, by_id, alive, now)
    Connection.objects.filter(pk__in=alive).update(listed_at=now)
    Reconciliation.objects.filter(pk=run.pk).update(listed=F("listed") + len(by_id))
    findings = []
    for place in by_id.values():
        finding = _difference(current.get(place.id), place)
        if finding is not None:
            finding.run, finding.application, finding.salon_id = run, application, place.id
            findings.append(finding)
    _store(run, findings)


def compare_rest(run: Reconciliation, application: Application) -> None:
    """Find, after the last page, what is active here and was on no page.

    The list may leave frozen ones out (docs/interface.md): those are asked about in their turn, like all live
    connections (`rechecks.py`). If very many are missing, the list counts as broken, and they are asked about in
    their turn too.
    """
    unlisted = Connection.objects.filter(application=application, state=State.ACTIVE).filter(
        Q(listed_at=None) | Q(listed_at__lt=run.started_at),
        Q(activated_at=None) | Q(activated_at__lt=run.started_at),
    )
    missing = unlisted.count()
    if missing > MAX_MISSING:
        list_refused(run, application, f"It lacks {missing} active ones; they are asked about in their turn.")
        return
    findings = [
        Finding(
            run=run,
            application=application,
            connection=connection,
            salon_id=connection.location.altegio_id,
            kind=Kind.MISSING,
            before=connection.get_state_display(),
        )
        for connection in unlisted.select_related("location").order_by("pk")
    ]
    _store(run, findings)


def list_refused(run: Reconciliation, application: Application, reason: str) -> None:
    """Record that Altegio gives no list for this application, or none to rely on: a person must find out why."""
    finding = Finding(run=run, application=application, kind=Kind.LIST, after=reason[:300], needs_person=True)
    _store(run, [finding])


def _current(application: Application, by_id: Iterable[int]) -> dict[int, Connection]:
    """Return the connection that counts at each of these locations, by Altegio's id."""
    there = Connection.objects.filter(application=application, location__altegio_id__in=list(by_id))
    current: dict[int, Connection] = {}
    # Rows are wide and come by the thousand: reading them whole takes as long as all the rest.
    needed = there.select_related("location").only("application", "location__altegio_id", "state")
    for connection in needed.current_first():
        current.setdefault(connection.location.altegio_id, connection)
    return current


def _difference(connection: Connection | None, place: RemoteLocation) -> Finding | None:
    """Return how the list differs from the stored state; None if they agree, or an activation is under way.

    Nothing in the list tells a frozen connection from an active one (docs/altegio.md §2).
    """
    if connection is None:
        return Finding(kind=Kind.UNKNOWN, after=place.title, needs_person=True)
    match State(connection.state):
        case State.GRANTED | State.ACTIVE | State.FROZEN:
            return None
    return Finding(kind=Kind.ALIVE, connection=connection, before=connection.get_state_display())


def _store(run: Reconciliation, findings: Sequence[Finding]) -> None:
    """Store the findings; those about a connection wait for Altegio's status, the others are settled."""
    now = timezone.now()
    asked = []
    for finding in findings:
        if finding.connection is not None and finding.kind != Kind.TITLE:
            asked.append(finding.connection)
        else:
            finding.settled_at = now
    _keep(findings)
    ask_status_of_each(asked, patient=True)
    count_calls(run, len(asked))


def _take_titles(
    run: Reconciliation,
    application: Application,
    by_id: dict[int, RemoteLocation],
    alive: Sequence[int],
    now: datetime,
) -> None:
    """Store the titles of Altegio's list and report changed ones; the connections `alive` (keys) are locked too."""
    before = dict(Location.objects.filter(altegio_id__in=list(by_id)).values_list("altegio_id", "title"))
    remember(by_id.values(), beside=alive)
    _keep(
        [
            Finding(
                run=run,
                application=application,
                salon_id=salon_id,
                kind=Kind.TITLE,
                before=title,
                after=by_id[salon_id].title,
                settled_at=now,
            )
            for salon_id, title in before.items()
            if title and title != by_id[salon_id].title
        ]
    )


def _keep(findings: Sequence[Finding]) -> None:
    store_each(findings, lambda rows: Finding.objects.bulk_create(rows, batch_size=500))
