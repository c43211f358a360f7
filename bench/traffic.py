"""Requests as they come in production, without end, each of them new to the portal."""

import itertools
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from bench.load import get, post
from bench.stage import Stage
from sandbox.arrival import connect_address, location_pairs, person_json, person_pairs
from sandbox.models import Location, User
from tests.end_to_end.portal import PARTNER_TOKEN

STATUSES = "/api/v1/sms/statuses/"
PHONE_CALLS = "/api/v1/telephony/calls/"
CHAIN = 501
# Code for a chain whose token came with a connection that Altegio accepted.
KNOW_CHAIN = """
from django.utils import timezone
from integrations.connections.models import Application, Chain, Connection, Location
chain, now = Chain.objects.create(altegio_id={chain}, crm_token="{token}", telephony="on"), timezone.now()
Connection.objects.create(
    application=Application.objects.get_or_create(altegio_id=1)[0],
    location=Location.objects.create(altegio_id={chain}, chain=chain),
    **dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at", "activated_at", "ended_at"), now),
    state="uninstalled", claim="bench",
)
"""
PAYMENTS = "/api/v1/payments/"
RECORD = {
    "resource": "record",
    "resource_id": 7,
    "status": "update",
    "data": {
        "id": 7,
        "date": "2026-03-01 12:00:00",
        "client": {"name": "Anna", "phone": "+15550100"},
        "comment": "y" * 300,
    },
}
PAYMENT = {
    "amount": "990.99",
    "currency": "EUR",
    "paid_at": "2026-01-01T12:00:00Z",
    "period_from": "2026-01-01T00:00:00Z",
    "period_to": "2026-01-31T23:59:59Z",
    "allow_overlap": True,
}
_numbers = itertools.count(1)


def arrivals() -> Iterator[str]:
    """Yield the addresses of arrivals, each of a new person at a new location, as path and query."""
    for number in _numbers:
        location = Location(5_000_000 + number, f"Salon {number}", "", "", "", "", "", "UTC", "", None)
        user = User(6_000_000 + number, f"Owner {number}", "447700900000", f"owner{number}@example.com")
        pairs = location_pairs([location.id]) + person_pairs(person_json(user, location, ""), PARTNER_TOKEN)
        yield connect_address("", 1, 1, pairs)


def events(on: Stage, locations: Sequence[int]) -> Iterator[bytes]:
    """Yield one entity webhook for each of these connected locations, to the address that Altegio was given."""
    for location in locations:
        connection = on.altegio.connection(location)
        assert connection is not None
        yield post(connection.webhook_urls[0].removeprefix(on.portal.url), event(location))


def event(location: int) -> dict[str, Any]:
    """Return the body of an entity webhook."""
    return {"company_id": location, **RECORD}


def messages(on: Stage, locations: Sequence[int]) -> Iterator[bytes]:
    """Yield messages to be sent, each of them new, with the keys that Altegio was given for these locations."""
    on.portal.database.query("UPDATE connections_application SET takes_messages = true")
    keys = [connection.api_key for location in locations if (connection := on.altegio.connection(location))]
    for number, key in zip(itertools.count(), itertools.cycle(keys), strict=False):
        yield post("/altegio/messages/", message(on, number), Authorization=f"Bearer {key}")


def message(on: Stage, number: int) -> dict[str, Any]:
    """Return a reminder of an appointment, as Altegio sends it."""
    return {
        "destination_params": {"id": f"{uuid.uuid4().hex}-{number}", "phone": "447700900123"},
        "from": "Aurora",
        "text": "Anna, we look forward to seeing you tomorrow at 10:00. Aurora, 5 Covent Garden, London. " * 2,
        "type": "sms",
        "dispatch_type": "service",
        "delivery_callback_url": f"{on.altegio.app_url}/smsprovider/status/callback/{PARTNER_TOKEN}",
    }


def callback(location: int) -> dict[str, Any]:
    """Return a lifecycle callback whose event the portal does not know: it is accepted like any other."""
    return {"salon_id": location, "application_id": 1, "event": "surprise", "partner_token": PARTNER_TOKEN}


def payments(locations: Sequence[int], key: str) -> Iterator[bytes]:
    """Yield payments that are reported to the API."""
    for location in itertools.cycle(locations):
        body = {**PAYMENT, "salon_id": location, "external_id": uuid.uuid4().hex}
        yield post(PAYMENTS, body, Authorization=key)


def phone_calls(on: Stage, key: str) -> Iterator[bytes]:
    """Yield phone calls of a chain whose telephony is on, each of them new."""
    on.portal.command("shell", "-v0", "-c", KNOW_CHAIN.format(chain=CHAIN, token=on.altegio.chain(CHAIN).crm_token))
    while True:
        yield post(PHONE_CALLS, phone_call(uuid.uuid4().hex), Authorization=key)


def phone_call(call_id: str) -> dict[str, Any]:
    """Return an answered phone call of another caller for each id, as an exchange reports it."""
    return {
        "salon_group_id": CHAIN,
        "type": "incoming",
        "phone": f"+4477{int(call_id[:7], 16) % 10**8:08d}",
        "diversion": "+442071838750",
        "duration": 65,
        "status": "success",
        "call_id": call_id,
        "date": "2026-11-24T10:00:00Z",
        "link": f"https://records.example/{call_id}.mp3",
    }


def statuses(key: str, size: int = 1000) -> Iterator[bytes]:
    """Yield reports of message statuses."""
    while True:
        yield post(STATUSES, status_items(size), Authorization=key)


def status_items(size: int) -> list[dict[str, Any]]:
    """Return so many statuses of new messages."""
    report = uuid.uuid4().hex
    priced = {"payment_sum": 0.045, "currency_iso": "EUR", "parts_amount": 2}
    return [{"id": f"{report}-{n}", "status": (4, 1, 8, 2)[n % 4], **priced} for n in range(size)]


def visits() -> Iterator[bytes]:
    """Return the arrivals as requests."""
    return (get(address) for address in arrivals())
