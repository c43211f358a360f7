"""Call notifications. They are useful for seconds only, so each one is sent in time or dropped and counted.

When a ring group or a queue of three lines rings three times for one caller, Altegio is notified once.
"""

import hashlib
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from redis.exceptions import RedisError

from integrations.altegio import requests
from integrations.altegio.answers import Answer
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Chain
from integrations.outbox.call_kinds import CallKind, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue_fresh
from integrations.telephony.models import NotificationDay
from partner_portal.core.english import english as _

WORTH_TELLING = timedelta(seconds=15)


# The members of a ring group ring within a second; a queue tries the next member a few seconds later.
SAME_CALL_SECONDS = 10


def notify_of_call(chain: Chain, *, phone: str, diversion: str, user: str = "", call_id: str = "") -> bool:
    """Notify Altegio that a client is calling now (numbers in E.164); return whether this call is a new one.

    It is not new if the same `call_id`, or the same number at the same line, was reported within `SAME_CALL_SECONDS`.
    """
    marks = [_mark(chain, "parties", phone, diversion), *([_mark(chain, "call_id", call_id)] if call_id else [])]
    if not _are_new(marks):
        return False
    try:
        _queue(chain, phone=phone, diversion=diversion, user=user)
    except Exception:
        _forget(marks)  # nothing is stored, so the exchange may report the call again
        raise
    return True


@transaction.atomic
def _queue(chain: Chain, **params: str) -> None:
    deadline_at = timezone.now() + WORTH_TELLING
    call = new_call(CallNotification, f"notification:{uuid.uuid4().hex}", deadline_at=deadline_at)
    call.params = {"chain": chain.pk, **params}
    queue_fresh([call])


def _mark(chain: Chain, *parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    return f"rings:{chain.pk}:{digest}"


def _are_new(marks: Sequence[str]) -> bool:
    """Set these marks and return whether none was set within `SAME_CALL_SECONDS`; without the cache all are new."""
    made = [True]
    with suppress(RedisError, OSError):
        made = [cache.add(mark, 1, timeout=SAME_CALL_SECONDS) for mark in marks]
    return all(made)


def _forget(marks: Sequence[str]) -> None:
    with suppress(RedisError, OSError):
        cache.delete_many(marks)


@register
class CallNotification(CallKind):
    """An outgoing call that notifies Altegio of a ringing call (docs/altegio.md §2, call notification).

    After an uncertain end it is sent again until its deadline: showing the same ringing call twice leaves no trace at
    Altegio, while a call that is not shown leaves the client unknown.
    """

    name = "call_notification"
    title = _("Call notification")
    priority = Priority.NOTIFICATION
    idempotent = True
    yes_is_enough = True
    uses_own_credential = True

    def request(self, call: OutgoingCall) -> ApiRequest:
        payload = call.params
        chain = Chain.objects.get(pk=payload["chain"])
        return requests.call_notification(
            chain.crm_token, phone=payload["phone"], diversion=payload["diversion"], user=payload["user"]
        )

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        _count(call, "shown")

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        _count(call, "refused", last_error=reason[:500])

    def expired(self, call: OutgoingCall, now: datetime) -> None:
        _count(call, "dropped")


def _count(call: OutgoingCall, how: str, **fields: str) -> None:
    day, _made = NotificationDay.objects.get_or_create(chain_id=call.params["chain"], day=call.created_at.date())
    NotificationDay.objects.filter(pk=day.pk).update(**{how: F(how) + 1}, **fields)
