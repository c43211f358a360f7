"""Health checks: whether the process is alive, and whether the portal can do its work (docs/interface.md, Pages)."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import current_app
from celery.signals import worker_ready
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from accounts.emails import mail_trouble
from integrations.outbox.claim import due_calls, held_slots
from integrations.outbox.dispatcher import PATIENT_DISPATCHERS
from integrations.outbox.models import Attempt, Priority
from partner_portal.core.console_email import PRINTED
from partner_portal.core.static_files import missing_static_files

log = structlog.get_logger(__name__)
HEARTBEAT = "worker-heartbeat"
# In seconds; beat queues a heartbeat every ten seconds.
MAX_SILENCE = 60
OVERDUE = timedelta(minutes=2)


def healthz(_request: HttpRequest) -> HttpResponse:
    """Respond 200 while the process is alive."""
    return HttpResponse("ok", content_type="text/plain")


def note_heartbeat() -> None:
    """Record that a worker is alive and takes tasks."""
    cache.set(HEARTBEAT, time.time(), timeout=MAX_SILENCE * 10)


@worker_ready.connect
def give_first_heartbeat(**_: Any) -> None:
    """Record a heartbeat when a worker starts, because beat's first one comes ten seconds later."""
    note_heartbeat()


def readyz(_request: HttpRequest) -> HttpResponse:
    """Respond 200 if the portal can do its work, else 503 with what is wrong."""
    wrong = what_is_wrong(CHECKS)
    return JsonResponse({"ready": not wrong, "wrong": wrong}, status=503 if wrong else 200)


def what_is_wrong(names: Iterable[str]) -> dict[str, str]:
    """Run the named `CHECKS` and return their problems by name, without those that found none."""
    return {name: problem for name in names if (problem := _safely(CHECKS[name]))}


def problems_now() -> list[str]:
    """Return what prevents the portal from working, as sentences for the first page of staff."""
    found = list(what_is_wrong(["worker", "calls", "mail", "answers"]).values())
    if settings.EMAIL_BACKEND == PRINTED:
        found.append("E-mails are printed, and reach nobody: set EMAIL_URL.")
    return found


def _safely(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:  # a failing check is a problem too
        log.warning("not_ready", check=check.__name__, error=str(error))
        return f"{type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _broker() -> str:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return ""


def is_worker_alive() -> bool:
    """Return whether a worker has given a sign of life within the last minute. Raises if the cache cannot be read."""
    return time.time() - float(cache.get(HEARTBEAT) or 0) <= MAX_SILENCE


def _worker() -> str:
    return "" if is_worker_alive() else "No worker has given a sign of life for a minute: start worker and beat."


def _calls() -> str:
    """Name calls that are overdue: one that waits behind no other of its kind, or any while nothing goes out."""
    since = timezone.now() - OVERDUE
    overdue = due_calls(since)
    waits_for_no_other = overdue.filter(priority__lt=Priority.BULK, turn=0).exists()
    if not waits_for_no_other and (_has_sent(since) or not overdue.exists()):
        return ""
    return "Outgoing calls are overdue: see the admin, outgoing calls."


def _has_sent(since: datetime) -> bool:
    newest = Attempt.objects.order_by("-pk").values_list("started_at", flat=True).first()
    return newest is not None and newest > since


def _mail() -> str:
    trouble = mail_trouble()
    if trouble is None or trouble.failures < 2:
        return ""
    return f"E-mails are not sent, the mail server fails ({trouble.error}): see EMAIL_URL."


def _answers() -> str:
    held = held_slots(timezone.now())
    if held < PATIENT_DISPATCHERS:
        return ""
    return f"{held} calls wait for answers of Altegio that do not come: see the admin, outgoing calls, being sent."


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "broker": _broker,
    "worker": _worker,
    "calls": _calls,
    "mail": _mail,
    "answers": _answers,
    "static": missing_static_files,
}
