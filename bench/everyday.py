"""The everyday business of connected locations, which leads to the portal's other calls to Altegio."""

import itertools
import random
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from billing.intake import record_payment
from billing.models import Payment, PaymentStatus, Source
from billing.parsing import PaymentData
from billing.refunds import refund_payment
from integrations.connections.models import Application, Chain, Connection, Installation, Location, State
from integrations.messaging.ingest import take_statuses
from integrations.messaging.parsing import read_statuses
from integrations.sender_names.names import replace_names
from integrations.status_sync.status_sync import ask_status
from integrations.telephony.call_notifications import notify_of_call

# The locations that are connected before the simulation begins.
SALON_IDS = range(1, 301)
PHONE = "+442071838750"


class Business:
    """A source of the portal's other calls, each about a random location that is already connected."""

    def __init__(self, application: Application, seed: int) -> None:
        self._rng = random.Random(seed)
        self._numbers = itertools.count(1)
        self._connections = _connected(application)
        self._chain = Chain.objects.create(altegio_id=501, crm_token="crm-501", telephony=Chain.Telephony.ON)

    def happen(self) -> None:
        """Do one of the things that lead to a call."""
        ways = (self._pay, self._refund, self._name, self._tell_statuses, self._ring, self._ask)
        self._rng.choices(ways, weights=(12, 2, 4, 4, 10, 8))[0]()

    def _connection(self) -> Connection:
        return self._rng.choice(self._connections)

    def _pay(self) -> None:
        number, connection, now = next(self._numbers), self._connection(), timezone.now().replace(microsecond=0)
        begin = now + timedelta(days=31 * number)
        told = PaymentData(
            external_id=f"invoice-{number}",
            salon_id=connection.location.altegio_id,
            application_id=connection.application.altegio_id,
            amount=Decimal(number),
            currency="EUR",
            paid_at=now,
            period_from=begin,
            period_to=begin + timedelta(days=30),
        )
        record_payment(told, Source.API)

    def _refund(self) -> None:
        if payment := Payment.objects.filter(status=PaymentStatus.REPORTED).order_by("pk").first():
            refund_payment(payment.pk)

    def _name(self) -> None:
        replace_names(self._connection(), [f"Salon{next(self._numbers)}"])

    def _tell_statuses(self) -> None:
        number = next(self._numbers)
        take_statuses(read_statuses([{"id": f"m{number}-{n}", "status": 4} for n in range(20)])[0])

    def _ring(self) -> None:
        notify_of_call(self._chain, phone=f"+44770090{next(self._numbers):05d}", diversion=PHONE)

    def _ask(self) -> None:
        ask_status(self._connection())


def _connected(application: Application) -> list[Connection]:
    owner = User.objects.create_user("owner@aurora.example")
    places = Location.objects.bulk_create([Location(altegio_id=number) for number in SALON_IDS])
    now = timezone.now()
    Installation.objects.bulk_create([Installation.fresh(application, place) for place in places])
    return Connection.objects.bulk_create(
        [
            Connection(
                application=application,
                location=place,
                state=State.ACTIVE,
                claim=f"u:{owner.pk}",
                claimant=owner,
                owner=owner,
                arrived_at=now,
                last_arrived_at=now,
                deadline_at=now,
                activated_at=now,
                reviewed_at=now,
            )
            for place in places
        ]
    )
