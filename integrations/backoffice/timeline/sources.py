"""The marketplace's own entries in a connection's timeline: arrivals, states, calls, callbacks and alerts."""

from collections.abc import Iterator

from django.db.models import Q

from integrations.altegio.answers import Outcome
from integrations.backoffice.search.nearby import refused_arrivals, unfinished_arrivals
from integrations.backoffice.timeline.entries import TIMELINE, Entry, Rank
from integrations.backoffice.timeline.evidence import MAX_SHOWN, Evidence, facts, shown
from integrations.connections.models import Arrival, Connection
from integrations.lifecycle.models import Callback
from integrations.outbox.call_kinds import kind_title
from integrations.outbox.models import Attempt, CallState, OutgoingCall
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

# How many of the newest of each kind are shown; the lists hold the rest.
MAX_COUNT = 300


@TIMELINE.add(rank=10)
def arrivals(connection: Connection) -> Iterator[Entry]:
    """Yield the connection's arrivals from Altegio."""
    for arrival in connection.arrivals.select_related("user").order_by("-pk")[:MAX_COUNT]:
        title = _("The owner arrived from Altegio")
        count = len(arrival.salon_ids)
        locations = english_plural("%(count)s location", "%(count)s locations", count) % {"count": count}
        detail = f"{arrival.user or '–'} · {locations}"
        yield Entry(
            arrival.arrived_at, Rank.CAUSE, _("arrival"), title, detail, arrival, evidence=_of_arrival(arrival)
        )


def _of_arrival(arrival: Arrival) -> tuple[Evidence, ...]:
    return facts(
        ("locations", ", ".join(f"#{number}" for number in arrival.salon_ids[:MAX_SHOWN])),
        ("Altegio user", arrival.altegio_user_id),
        ("location's name as signed", arrival.salon_name),
        ("visits", arrival.visits),
        ("request id", arrival.request_id),
    )


@TIMELINE.add(rank=15)
def arrivals_without_a_connection(connection: Connection) -> Iterator[Entry]:
    """Yield the arrivals for the location that nobody has finished or that were refused."""
    number = connection.location.altegio_id
    for arrival in unfinished_arrivals(number):
        title, detail = _("An arrival that nobody has finished"), str(arrival.application)
        yield Entry(
            arrival.arrived_at, Rank.CAUSE, _("arrival"), title, detail, arrival, evidence=_of_arrival(arrival)
        )
    for refused in refused_arrivals(number):
        yield Entry(
            refused.at, Rank.CAUSE, _("arrival"), _("An arrival was refused"), refused.reason, refused, is_bad=True
        )


@TIMELINE.add(rank=20)
def changes(connection: Connection) -> Iterator[Entry]:
    """Yield the connection's state changes, with their reason and who made them."""
    for change in connection.changes.select_related("by").order_by("-pk")[:MAX_COUNT]:
        title = change.get_to_state_display()
        detail = f"{change.why} ({change.by})" if change.by else change.why
        yield Entry(change.at, Rank.CHANGE, _("state"), title, detail)


@TIMELINE.add(rank=30)
def calls(connection: Connection) -> Iterator[Entry]:
    """Yield the outgoing calls at the time when they were queued, and their attempts when they were made."""
    newest = list(connection.calls.order_by("-pk")[:MAX_COUNT])
    for call in newest:
        bad = call.state in (CallState.REFUSED, CallState.EXPIRED)
        detail = " · ".join(filter(None, (call.get_state_display(), call.reason)))
        behind = facts(("key", call.key), ("attempts", call.attempt_count), ("request id", call.request_id))
        title = str(kind_title(call.kind))
        yield Entry(call.created_at, Rank.CONSEQUENCE, _("call"), title, detail, call, is_bad=bad, evidence=behind)
    yield from _attempts(newest)


def _attempts(calls: list[OutgoingCall]) -> Iterator[Entry]:
    made = Attempt.objects.filter(call__in=[call.pk for call in calls]).select_related("call").order_by("-pk")
    for place, attempt in enumerate(made[:MAX_COUNT]):
        title = f"{kind_title(attempt.call.kind)}: {attempt.get_purpose_display()}"
        detail = " · ".join(filter(None, (_said(attempt), attempt.message)))
        bad = attempt.outcome not in ("accepted", "")
        behind = _exchange(attempt) if place < MAX_SHOWN else ()
        yield Entry(
            attempt.started_at, Rank.CONSEQUENCE, _("attempt"), title, detail, attempt.call, bad, evidence=behind
        )


def _exchange(attempt: Attempt) -> tuple[Evidence, ...]:
    parts = (
        (_("address"), f"{attempt.method} {attempt.url}".strip()),
        (_("sent"), attempt.request_body),
        (_("answer"), attempt.response_body),
    )
    return tuple(shown(label, text) for label, text in parts if text)


def _said(attempt: Attempt) -> str:
    """Return an attempt's outcome in words, followed by the status code."""
    words = {
        "": _("no answer yet"),
        Outcome.ACCEPTED: _("Altegio says yes"),
        Outcome.REFUSED: _("Altegio says no"),
        Outcome.UNAUTHORIZED: _("Altegio does not know the token"),
        Outcome.LIMITED: _("Altegio asks to wait"),
        Outcome.NOT_SENT: _("not sent"),
        Outcome.UNKNOWN: _("no clear answer"),
    }
    said = words[attempt.outcome]
    return f"{said} ({attempt.status_code})" if attempt.status_code else said


@TIMELINE.add(rank=40)
def callbacks(connection: Connection) -> Iterator[Entry]:
    """Yield the callbacks about the connection, including those that have not been assigned to one yet."""
    callbacks = Callback.objects.filter(
        Q(connection=connection)
        | Q(
            connection=None,
            salon_id=connection.location.altegio_id,
            application_altegio_id=connection.application.altegio_id,
        )
    )
    for place, callback in enumerate(callbacks.order_by("-pk")[:MAX_COUNT]):
        detail = " · ".join(filter(None, (callback.get_state_display(), callback.note)))
        bad = callback.state == Callback.State.FAILED
        title = _("Altegio says: %(event)s") % {"event": callback.event}
        behind = (shown(_("as it came"), callback.body),) if place < MAX_SHOWN else ()
        yield Entry(callback.received_at, Rank.CAUSE, _("callback"), title, detail, callback, bad, evidence=behind)


@TIMELINE.add(rank=50)
def alerts(connection: Connection) -> Iterator[Entry]:
    """Yield the alerts about the connection."""
    for alert in connection.alerts.order_by("-pk")[:MAX_COUNT]:
        yield Entry(
            alert.raised_at, Rank.CHANGE, _("alert"), alert.text, alert.get_kind_display(), alert, is_bad=True
        )
