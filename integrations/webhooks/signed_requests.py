"""Sending entity events to the address of an application, as every message to the partner's systems is sent."""

from collections.abc import Sequence
from datetime import datetime

import simplejson

from integrations.connections.models import Application
from integrations.partner_events.sending import NotAcceptedError, fresh_secret, look_up, post_signed
from integrations.webhooks.consumers import IncomingEvent


def give_new_secret(application: Application) -> str:
    """Replace the application's signing secret; returns the new one, to be shown once."""
    application.events_secret = fresh_secret()
    application.save(update_fields=["events_secret"])
    return application.events_secret


def payload_of(events: Sequence[IncomingEvent], made_at: datetime) -> bytes:
    """The body of a batch: `type`, `timestamp` and `data`, as the specification advises."""
    data = [
        {
            "id": event.id,
            "received_at": event.received_at.isoformat(),
            "application_id": event.application_id,
            "salon_id": event.salon_id,
            "is_duplicate": event.is_duplicate,
            "flag": event.flag,
            "body": event.body,
        }
        for event in events
    ]
    body = {"type": "altegio.events", "timestamp": made_at.isoformat(), "data": {"events": data}}
    text: str = simplejson.dumps(body, use_decimal=True)
    return text.encode()


def send(application: Application, message_id: str, events: Sequence[IncomingEvent], made_at: datetime) -> None:
    """POST the batch; the same `message_id` on every try. Raises NotAcceptedError for anything but 2xx."""
    if not application.events_url or not application.events_secret:
        raise NotAcceptedError("The application has no address or no signing secret.")
    payload = payload_of(events, made_at)
    post_signed(look_up(application.events_url), [application.events_secret], message_id, payload)
