"""The watch for callbacks that nobody processes, or whose question was never answered."""

from datetime import datetime, timedelta

from django.db.models import OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.lifecycle.models import Callback
from integrations.lifecycle.processing import WAITING, process_waiting
from integrations.outbox.watch import unfinished
from integrations.status_sync.status_sync import AskPatiently, AskStatus, ask_status
from partner_portal.core.watch import register_check

# The worker looks each second, so this is long overdue.
MAX_WAIT = timedelta(minutes=10)
# A question is given up after a day; a callback that was never answered ends a day later.
MAX_QUESTION = timedelta(days=2)


def _unlooked_at(now: datetime) -> QuerySet[Callback]:
    waiting = Callback.objects.filter(state=Callback.State.WAITING, received_at__lt=now - MAX_WAIT)
    return WAITING.ready(waiting)


def _unasked(now: datetime) -> QuerySet[Callback]:
    asked = Q(connection__isnull=False) & unfinished(
        connection=OuterRef("connection"), kind__in=(AskStatus.name, AskPatiently.name)
    )
    return Callback.objects.filter(~asked, state=Callback.State.ASKED)


def _ask_or_end(callback: Callback) -> None:
    if callback.connection is None or callback.received_at < timezone.now() - MAX_QUESTION:
        asked = Callback.objects.filter(pk=callback.pk, state=Callback.State.ASKED)
        asked.update(state=Callback.State.FAILED, note="Altegio did not answer what is true.")
    else:
        ask_status(callback.connection)


register_check("callback: waiting", _unlooked_at, lambda _callback: process_waiting(), by_age=True)
register_check("callback: asked", _unasked, _ask_or_end)
