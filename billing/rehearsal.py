"""The moderators' five checks (docs/altegio.md §5), rehearsed against the configured Altegio on a test location.

Only the owner's hand is missing: where Connect must be pressed, the rehearsal says where, and watches how the portal
takes it in. What is paid is refunded, and the location is disconnected at the end.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from billing.intake import Overlap, record_payment
from billing.models import Payment, PaymentStatus, Source
from billing.parsing import read_payment
from billing.refunds import refund_payment
from integrations.connections.models import Application, Connection, State, reconnect_url
from integrations.connections.querysets import ConnectionQuerySet
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.status_sync.disconnect import disconnect

PATIENCE = 60.0
# How often, in seconds, the database is asked whether somebody has come.
POLL = 0.5
PRESSES = 3


class CheckFailedError(Exception):
    """Raised when a check did not hold; `str()` says what was seen."""


class CheckNotShownError(Exception):
    """Raised when a check could not be shown because the person at the browser was not done in time."""


@dataclass(frozen=True)
class ModerationCheck:
    """One of the five checks, with what was seen. `holds` is None if it could not be shown."""

    title: str
    holds: bool | None
    evidence: list[str]


@dataclass
class Rehearsal:
    """One run on one location. `tell` shows a line while it runs; `wait` is how many seconds to wait for Connect."""

    application: Application
    salon_id: int
    amount: str
    currency: str
    wait: float
    tell: Callable[[str], None]
    evidence: list[str] = field(default_factory=list)
    payment_id: int = 0
    # Connections newer than this one are the rehearsal's own.
    newest_before: int = 0
    presses: int = 0

    def run(self) -> Iterator[ModerationCheck]:
        """Yield the five checks, one after the other; a check that fails ends the rehearsal."""
        self.newest_before = max(self._at_location().values_list("pk", flat=True), default=0)
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
                yield ModerationCheck(title, False, [*self.evidence, str(failure)])
                break
            except CheckNotShownError as missing:
                yield ModerationCheck(title, None, [*self.evidence, str(missing)])
                break
            yield ModerationCheck(title, True, self.evidence)
        self._leave_it_clean()

    def _connects(self) -> None:
        if self._at_location().not_ended().exists():
            raise CheckFailedError(
                "The location is connected, or about to be. Choose one that nobody uses, or disconnect it first."
            )
        self._await_connection()
        self._disconnect()
        self._await_connection()

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
        self._await(lambda: self._paid().status == PaymentStatus.REPORTED, "The payment was not accepted.")
        self.evidence.append(
            f"{data.amount} {data.currency}: Altegio's payment id {self._paid().altegio_payment_id}."
        )
        self._note("report_payment", self._paid().report_key)

    def _refunds(self) -> None:
        refund_payment(self.payment_id)
        self._await(lambda: self._paid().status == PaymentStatus.REFUNDED, "The refund was not accepted.")
        self._note("refund_payment", self._paid().refund_key)

    def _reconnects(self) -> None:
        self._disconnect()
        self.evidence.append("Disconnected; the portal says uninstalled.")
        self._await_connection()

    def _knows_the_user(self) -> None:
        owners = [connection.owner_id for connection in self._connections() if connection.activated_at]
        if None in owners:
            raise CheckNotShownError(
                "A connection is nobody's yet. Press Connect with your personal data shared, or sign in on the page "
                "that it leads to."
            )
        if len(set(owners)) > 1:
            raise CheckFailedError("Who came back got another account, or another person pressed Connect.")
        self.evidence.append(f"The same person came {len(owners)} times and has one account (#{owners[0]}).")

    def _leave_it_clean(self) -> None:
        if self._live() is not None:
            self._disconnect()
            self.tell("The location is disconnected again.")

    def _disconnect(self) -> None:
        live = self._live()
        if live is not None:
            disconnect(live.pk, by=None, why="The moderation rehearsal disconnected it.")
            self._await(lambda: self._live() is None, "The location could not be disconnected.")

    def _await_connection(self) -> None:
        """Wait until a press of Connect has led to a connection, and then until that is active."""
        self.presses += 1
        known = self._connections().count()
        address = reconnect_url(self.salon_id, self.application.altegio_id)
        self.tell(f"Press Connect now ({self.presses} of {PRESSES}, within {self.wait:g} seconds): {address}")
        ends_at = time.monotonic() + self.wait
        while self._connections().count() == known:
            if time.monotonic() > ends_at:
                raise CheckNotShownError(
                    f"Nobody has come. Press Connect at {address}, sign up or in where the page asks for it, and "
                    "start the rehearsal again."
                )
            time.sleep(POLL)
        self._await(lambda: self._live() is not None, "The location did not turn active.")
        self._note_activation(self._connections().last())

    def _note_activation(self, connection: Connection | None) -> None:
        if connection is None or connection.activated_at is None:
            raise CheckFailedError("The connection is gone.")
        sent = self._calls("activate").count()
        if sent != 1:
            raise CheckFailedError(f"{sent} activations were queued instead of one.")
        self._note("activate")
        seconds = (connection.activated_at - connection.arrived_at).total_seconds()
        self.evidence.append(f"Arrived {connection.arrived_at:%H:%M:%S} UTC, active {seconds:.1f} s later.")

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

    def _at_location(self) -> ConnectionQuerySet:
        return Connection.objects.at_altegio(self.application.altegio_id, self.salon_id).order_by("pk")

    def _connections(self) -> ConnectionQuerySet:
        """Return the connections that came during the rehearsal."""
        return self._at_location().filter(pk__gt=self.newest_before)

    def _live(self) -> Connection | None:
        return self._connections().live().first()

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
