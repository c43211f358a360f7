"""Call notifications: worth something for seconds only, so they are told in time or dropped and counted."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

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


@transaction.atomic
def notify_of_call(chain: Chain, *, phone: str, diversion: str, user: str = "") -> None:
    """Tell Altegio that a client is calling now. Numbers in E.164."""
    queue_fresh(
        [
            new_call(
                CallNotification,
                f"notification:{uuid.uuid4().hex}",
                deadline_at=timezone.now() + WORTH_TELLING,
                chain=chain.pk,
                phone=phone,
                diversion=diversion,
                user=user,
            )
        ]
    )


@register
class CallNotification(CallKind):
    """docs/altegio.md §2, call notification.

    After an uncertain end it is told again while it is worth it: the same ringing call shown once more
    leaves no trace at Altegio, a call not shown leaves the client unknown.
    """

    name = "call_notification"
    title = _("Call notification")
    priority = Priority.NOTIFICATION
    idempotent = True
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
