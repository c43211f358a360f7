"""Handling of messages that no status comes for: staff are alerted early, and after `MAX_WAIT` the messages end."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import clear_alerts, raise_alert
from integrations.messaging.models import MessageStatus, RequestedMessage

State = RequestedMessage.State
# Operators try for three days at most, so no status is expected after that.
MAX_WAIT = timedelta(days=3)
# If neither a message nor any later one has got a status after this time, the partner's gateway is not working.
MAX_SILENCE = timedelta(minutes=15)
AT_ONCE = 1000
SILENT = "messages:silent"


def open_messages(before: datetime) -> QuerySet[RequestedMessage]:
    """Return the messages received before `before` that have no final status."""
    return RequestedMessage.objects.filter(state__in=RequestedMessage.NOT_FINAL, received_at__lt=before)


def end_unanswered() -> int:
    """End the messages that waited longer than `MAX_WAIT`; return how many. A later status still counts."""
    ended = 0
    while keys := list(
        open_messages(timezone.now() - MAX_WAIT).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    ):
        ended += end(keys)
    return ended


def end(keys: list[int]) -> int:
    """End these messages, except those that have reached a final status meanwhile; return how many."""
    return RequestedMessage.objects.filter(pk__in=keys, state__in=RequestedMessage.NOT_FINAL).update(
        state=State.UNANSWERED
    )


def watch_the_gateway() -> None:
    """Alert staff while messages wait and no status comes; the alert ends with the next status."""
    waiting = open_messages(timezone.now() - MAX_SILENCE).filter(state=State.REQUESTED)
    answered = MessageStatus.objects.exclude(requested_message=None).order_by("-requested_message")
    last = answered.values_list("requested_message", flat=True).first() or 0
    oldest = waiting.filter(pk__gt=last).order_by("received_at").first()
    if oldest is None:
        clear_alerts(key=SILENT)
        return
    text = (
        f"Altegio's messages wait since {oldest.received_at:%Y-%m-%d %H:%M} (UTC) and no status comes. Does your "
        "gateway read /api/v1/sms/messages/, and report to /api/v1/sms/statuses/?"
    )
    raise_alert(Alert.Kind.MESSAGES, SILENT, text)
