"""The watch for outgoing calls that nothing would take up, and conditions on calls for other features' watches."""

from datetime import datetime, timedelta

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from integrations.outbox.models import UNFINISHED, WAITING, CallState, OutgoingCall
from partner_portal.core.watch import register_check

# The sweep takes a call back within a second after its lease ends.
LEASE_IS_LONG_OVER = timedelta(minutes=1)
# No wait after a failure is longer than an hour; Altegio's own `Retry-After` may be.
MAX_WAIT = timedelta(days=1)


def unfinished(**which: object) -> Exists:
    """Return the condition that an unfinished call matches these filters; values may be an `OuterRef`."""
    return Exists(OutgoingCall.objects.filter(state__in=UNFINISHED, **which))


def key_of(prefix: str, *fields: str) -> Concat:
    """Return a key made of columns of the outer row: `key_of("payment", "pk", "report_round")`."""
    parts: list[Value | Cast] = [Value(prefix)]
    for field in fields:
        parts += [Value(":"), Cast(OuterRef(field), CharField())]
    return Concat(*parts, output_field=CharField())


def _stuck(now: datetime) -> QuerySet[OutgoingCall]:
    lost = Q(state=CallState.SENDING) & (Q(lease_until=None) | Q(lease_until__lt=now - LEASE_IS_LONG_OVER))
    far = Q(state__in=WAITING, due_at__gt=now + MAX_WAIT)
    return OutgoingCall.objects.filter(lost | far)


def _take_back(call: OutgoingCall) -> None:
    now = timezone.now()
    _stuck(now).filter(pk=call.pk, state=CallState.SENDING).update(
        state=CallState.UNCONFIRMED, due_at=now, lease=None, lease_until=None
    )
    _stuck(now).filter(pk=call.pk).update(due_at=now)


register_check("outgoing call", _stuck, _take_back, by_age=True)
