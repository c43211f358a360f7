"""Following a change of an application's trial days in its live connections, each in its own transaction.

`Application.trial_days_followed` holds the days by which they were last counted, so beat finds what is left, whoever
changed the days and whenever a worker ends in between.
"""

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from billing.periods import follow_payments
from integrations.connections.models import Application, Connection
from integrations.connections.transitions import lock
from partner_portal.core.queues import Queue

TRIALS = Queue.register(Queue("trials", "Trials whose days were changed", Connection))
BATCH = 500


def follow_changed_trials() -> int:
    """Recount the trials of the live connections of every application whose days have changed.

    Returns how many connections followed. Any number of workers may do so.
    """
    days = Coalesce("trial_days", 0)
    changed = Application.objects.filter(Q(trial_days_followed=None) | ~Q(trial_days_followed=days))
    return sum(_follow(application, application.trial_days or 0) for application in changed)


def _follow(application: Application, days: int) -> int:
    behind, followed, last = _counted_otherwise(application, days), 0, 0
    while batch := list(TRIALS.ready(behind).filter(pk__gt=last).order_by("pk")[:BATCH]):
        followed += TRIALS.work_each(batch, lambda each: follow_payments(lock(each.pk)))
        last = batch[-1].pk
    if not behind.exists():
        Application.objects.filter(pk=application.pk).update(trial_days_followed=days)
    return followed


def _counted_otherwise(application: Application, days: int) -> QuerySet[Connection]:
    """Return live connections whose trial does not last `days` from the first activation (`follow_payments`)."""
    live = Connection.objects.live().filter(application=application)
    if not days:
        return live.exclude(trial_ends_at=None)
    place = Connection.objects.at(OuterRef("application"), OuterRef("location")).order_by().values("location")
    first = Subquery(place.annotate(first=Min("activated_at")).values("first"))
    end = ExpressionWrapper(F("first_at") + Value(timedelta(days=days)), DateTimeField())
    return live.annotate(first_at=first).exclude(first_at=None).filter(Q(trial_ends_at=None) | ~Q(trial_ends_at=end))
