"""The panels about the present: windows running out, connections by state, calls, alerts and drift.

Counts are capped, and queries read indexed ranges.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.backoffice.dashboard.numbers import Number, capped, first_rows, list_url
from integrations.backoffice.health import OVERDUE, problems_now
from integrations.connections.models import Connection, State
from integrations.contract_drift.models import Drift
from integrations.outbox.models import WAITING, CallState, OutgoingCall, TokenStop
from integrations.outbox.rate import used_in_the_last_minute
from integrations.outbox.token_stop import token_is_stopped
from partner_portal.core.english import english as _

MAX_URGENT = 5


def running() -> dict[str, Any]:
    """Return the problems of worker, e-mail and calls as sentences, none if all work."""
    return {"problems": problems_now()}


def running_out() -> dict[str, Any]:
    """Return granted connections by the time left for their activation, and the most urgent ones; two queries."""
    now = timezone.now()
    granted = Connection.objects.filter(state=State.GRANTED).order_by("deadline_at")
    in_10, in_30 = (now + timedelta(minutes=minutes) for minutes in (10, 30))
    counts = first_rows(granted).aggregate(
        passed=Count("pk", filter=Q(deadline_at__lte=now)),
        soon=Count("pk", filter=Q(deadline_at__gt=now, deadline_at__lte=in_10)),
        later=Count("pk", filter=Q(deadline_at__gt=in_10, deadline_at__lte=in_30)),
        calm=Count("pk", filter=Q(deadline_at__gt=in_30)),
    )
    lists = {
        "soon": (_("less than 10 minutes left"), "10"),
        "later": (_("10 to 30 minutes left"), "30-10"),
        "calm": (_("more than 30 minutes left"), "30+"),
        "passed": (_("time is over, answer not known yet"), "passed"),
    }
    numbers = [
        (name, label, Number(counts[name], list_url(Connection, state__exact=State.GRANTED, deadline=deadline)))
        for name, (label, deadline) in lists.items()
    ]
    urgent = granted.filter(deadline_at__gt=now).select_related("application", "location")[:MAX_URGENT]
    return {"numbers": numbers, "urgent": urgent}


def connections_by_state() -> dict[str, Any]:
    """Return the number of connections in each state that staff ask for, with one query for each."""
    frozen = Connection.objects.filter(state=State.FROZEN)
    states = (State.ACTIVE, State.GRANTED, State.FROZEN, State.CONFLICT)
    numbers = [
        (state.value, state.label, capped(Connection.objects.filter(state=state), _of_state(state)))
        for state in states
    ]
    review = capped(Connection.objects.exclude(review=""), list_url(Connection, review="yes"))
    latest = frozen.select_related("application", "location").order_by("-pk")[:MAX_URGENT]
    return {"numbers": [*numbers, ("review", _("to be reviewed"), review)], "frozen": latest}


def _of_state(state: State) -> str:
    return list_url(Connection, state__exact=state)


def calls() -> dict[str, Any]:
    """Return the unfinished calls to Altegio, and how much of the allowed rate is used; four queries."""
    now = timezone.now()
    unfinished = OutgoingCall.objects.filter(state__in=WAITING)
    counts = first_rows(unfinished).aggregate(
        waiting=Count("pk"),
        failing=Count("pk", filter=Q(setbacks__gt=0)),
        overdue=Count("pk", filter=Q(due_at__lt=now - OVERDUE)),
        oldest=Min("due_at"),
    )
    held = capped(OutgoingCall.objects.filter(state=CallState.HELD), _calls(state__exact=CallState.HELD))
    oldest = counts["oldest"]
    used, allowed = used_in_the_last_minute(), settings.ALTEGIO_REQUESTS_PER_MINUTE
    return {
        "numbers": [
            ("waiting", _("waiting"), Number(counts["waiting"], _calls(waiting="yes"))),
            ("failing", _("failing, will be tried again"), Number(counts["failing"], _calls(waiting="failing"))),
            ("overdue", _("overdue"), Number(counts["overdue"], _calls(waiting="overdue"))),
            ("held", _("held back for staff"), held),
        ],
        "oldest": oldest if oldest and oldest < now - OVERDUE else None,
        "used": used,
        "allowed": allowed,
        "stopped_url": list_url(TokenStop) if token_is_stopped() else "",
    }


def _calls(**filters: str) -> str:
    return list_url(OutgoingCall, **filters)


def open_alerts() -> dict[str, Any]:
    """Return the alerts that need a person now, counted by kind, and the newest ones; two queries."""
    alerts = Alert.objects.to_do(timezone.now()).order_by("-raised_at")
    kinds = {kind.value: Count("pk", filter=Q(kind=kind)) for kind in Alert.Kind}
    counts = first_rows(alerts).aggregate(**kinds)
    numbers = [
        (kind.value, kind.label, Number(counts[kind.value], list_url(Alert, open="now", kind__exact=kind)))
        for kind in Alert.Kind
        if counts[kind.value]
    ]
    newest = alerts.select_related("connection__application", "connection__location", "assignee")
    return {"numbers": numbers, "newest": newest[:MAX_URGENT]}


def new_drift() -> dict[str, Any]:
    """Return the newest differences from the contract that nobody has marked as known; one query."""
    newest = Drift.objects.filter(known_at=None).order_by("-last_seen_at")
    return {"newest": newest[:MAX_URGENT], "all_url": list_url(Drift, known="no")}
