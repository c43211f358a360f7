"""The moderators' five checks (docs/altegio.md §5), rehearsed against the configured Altegio on a test location.

Only the owner's hand is missing: where Connect must be pressed, the rehearsal says where and waits. What is
paid is refunded, and the location is disconnected at the end.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AltegioIdentity
from billing.intake import Overlap, record_payment
from billing.models import Payment, Source, Status
from billing.parsing import read_payment
from billing.refunds import refund_payment
from integrations.altegio import requests
from integrations.altegio.answers import AltegioState, ConnectionStatus, read_status
from integrations.altegio.signatures import Person
from integrations.connect.arrivals import receive_signed
from integrations.connect.parameters import Redirect
from integrations.connections.models import Application, Arrival, Connection, State, reconnect_url
from integrations.connections.querysets import ConnectionQuerySet
from integrations.outbox.direct_requests import ask_now
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.status_sync.disconnect import disconnect

# The person who rehearses: an Altegio user id that no real user has.
REHEARSER = Person(999_999_999_999_999_999, "Moderation rehearsal", "", "", "")
PATIENCE = 60.0
# How often Altegio is asked whether Connect was pressed; each question is one call of the budget.
POLL = 2.0


class CheckFailedError(Exception):
    """A check did not hold; `str()` says what was seen."""


class NotShownError(Exception):
    """A check could not be shown because Connect was not pressed in time."""


@dataclass(frozen=True)
class Check:
    """One of the five checks, with what was seen. `holds` is None where it could not be shown."""

    title: str
    holds: bool | None
    evidence: list[str]


@dataclass
class Rehearsal:
    """One run on one location. `tell` shows a line while it runs; `wait` is how long to wait for Connect."""

    application: Application
    salon_id: int
    amount: str
    currency: str
    wait: float
    tell: Callable[[str], None]
    evidence: list[str] = field(default_factory=list)
    payment_id: int = 0

    def run(self) -> Iterator[Check]:
        """The five checks, one after the other; a check that fails ends the rehearsal."""
        for title, step in (
            ("Connects to a clean location, several times in a row", self._connects),
            ("Sends payments", self._pays),
            ("Sends refunds", self._refunds),
            ("Handles disabling and reconnecting", self._reconnects),
            ("Handles a user who already has an account", self._knows_the_user),
        ):
            self.evidence = []
            try:
                step()
            except CheckFailedError as failure:
                yield Check(title, False, [*self.evidence, str(failure)])
                break
            except NotShownError as missing:
                yield Check(title, None, [*self.evidence, str(missing)])
                break
            yield Check(title, True, self.evidence)
        self._leave_it_clean()

    def _connects(self) -> None:
        if self._live() is not None:
            raise CheckFailedError(
                "The location is connected already. Choose one that nobody uses, or disconnect it first."
            )
        self._await_grant()
        first = self._arrive()
        self._await(lambda: self._live() is not None, "The location did not turn active.")
        for _ in range(2):
            if self._arrive().pk != first.pk:
                raise CheckFailedError("The same link made a second arrival.")
        sent = self._calls("activate").count()
        if sent != 1:
            raise CheckFailedError(f"{sent} activations were queued instead of one.")
        self._note("activate")
        self.evidence.append("Opening the same link twice more activated nothing again.")

    def _pays(self) -> None:
        now = timezone.now().replace(microsecond=0)
        data = read_payment(
            {
                "external_id": f"rehearsal-{self.salon_id}-{now:%Y%m%d%H%M%S}",
                "salon_id": self.salon_id,
                "application_id": self.application.altegio_id,
                "amount": self.amount,
                "currency": self.currency,
                "paid_at": now.isoformat(),
                "period_from": now.isoformat(),
                "period_to": (now + timedelta(days=30)).isoformat(),
            }
        )
        self.payment_id = record_payment(data, Source.ADMIN, overlap=Overlap.ALLOW).payment.pk
        self._await(lambda: self._paid().status == Status.REPORTED, "The payment was not accepted.")
        self.evidence.append(
            f"{data.amount} {data.currency}: Altegio's payment id {self._paid().altegio_payment_id}."
        )
        self._note("report_payment", self._paid().report_key)

    def _refunds(self) -> None:
        refund_payment(self.payment_id)
        self._await(lambda: self._paid().status == Status.REFUNDED, "The refund was not accepted.")
        self._note("refund_payment", self._paid().refund_key)

    def _reconnects(self) -> None:
        self._disconnect()
        self.evidence.append("Disconnected; the portal says uninstalled.")
        self._await_grant()
        self._arrive()
        self._await(lambda: self._live() is not None, "The location did not turn active again.")
        self._note("activate")

    def _knows_the_user(self) -> None:
        before = AltegioIdentity.objects.get(altegio_user_id=REHEARSER.altegio_user_id).user_id
        arrival = self._arrive()
        if arrival.user_id != before:
            raise CheckFailedError("The person who came back got another account.")
        self.evidence.append(f"The same person came {arrival.visits} times and has one account (#{before}).")

    def _leave_it_clean(self) -> None:
        if self._mine() is not None:
            self._disconnect()
            self.tell("The location is disconnected again.")

    def _arrive(self) -> Arrival:
        return receive_signed(self.application, Redirect((self.salon_id,), None, "", REHEARSER))

    def _disconnect(self) -> None:
        live = self._mine()
        if live is not None:
            disconnect(live.pk, by=None, why="The moderation rehearsal disconnected it.")
            self._await(lambda: self._live() is None, "The location could not be disconnected.")

    def _await_grant(self) -> None:
        """Wait until Altegio waits for an activation, as after a press of Connect."""
        ends_at, data = time.monotonic() + self.wait, False
        while not self._is_granted():
            if time.monotonic() > ends_at:
                page = reconnect_url(self.salon_id, self.application.altegio_id)
                raise NotShownError(f"Connect was not pressed. Press it at {page} and start the rehearsal again.")
            if not data:
                self.tell(f"Press Connect now: {reconnect_url(self.salon_id, self.application.altegio_id)}")
                data = True
            time.sleep(POLL)

    def _is_granted(self) -> bool:
        status = self._ask()
        return status is not None and status.state is AltegioState.PENDING

    def _ask(self) -> ConnectionStatus | None:
        answer = ask_now(requests.status(self.salon_id, self.application.altegio_id))
        return read_status(answer, settings.ALTEGIO_TIME_ZONE)

    def _await(self, holds: Callable[[], bool], otherwise: str) -> None:
        ends_at = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > ends_at or self._is_over():
                raise CheckFailedError(f"{otherwise} {self._last_words()}")
            dispatch_due()
            time.sleep(0.2)

    def _is_over(self) -> bool:
        newest = self._connections().last()
        return newest is not None and newest.state in (State.FAILED, State.CONFLICT, State.EXPIRED)

    def _last_words(self) -> str:
        last = Attempt.objects.filter(call__connection__in=self._connections()).order_by("pk").last()
        return f"Altegio's last answer: {last.status_code or '–'} {last.message}".strip() if last else ""

    def _connections(self) -> ConnectionQuerySet:
        return Connection.objects.at_altegio(self.application.altegio_id, self.salon_id).order_by("pk")

    def _live(self) -> Connection | None:
        return self._connections().live().first()

    def _mine(self) -> Connection | None:
        """The live connection, where it is the rehearsal's own."""
        mine = self._connections().filter(owner__identities__altegio_user_id=REHEARSER.altegio_user_id)
        return mine.live().first()

    def _paid(self) -> Payment:
        return Payment.objects.get(pk=self.payment_id)

    def _calls(self, kind: str) -> QuerySet[OutgoingCall]:
        return OutgoingCall.objects.filter(connection=self._connections().last(), kind=kind)

    def _note(self, kind: str, key: str = "") -> None:
        found = OutgoingCall.objects.filter(key=key) if key else self._calls(kind)
        attempt = Attempt.objects.filter(call__in=found).last()
        if attempt:
            self.evidence.append(
                f"{attempt.method} {attempt.url} → {attempt.status_code} at {attempt.started_at:%H:%M:%S} UTC."
            )
