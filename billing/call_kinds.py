"""The calls that report a payment and its refund: once each, whatever the answers are (docs/altegio.md §2, §3)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from billing.matching import find_remote, is_former, undone_calls
from billing.models import CONTENT, Payment, PaymentStatus, Source
from billing.notifications import tell_of_payment, tell_of_refund
from billing.periods import follow_payment, lock_payment
from integrations.alerts.raising import clear_alerts
from integrations.alerts.receivers import alert_key
from integrations.altegio import requests
from integrations.altegio.answers import (
    AltegioState,
    Answer,
    ConnectionStatus,
    RemotePayment,
    read_payment_id,
    read_status,
)
from integrations.altegio.requests import ApiRequest
from integrations.altegio.wire import to_wire
from integrations.connections.models import State
from integrations.outbox.call_kinds import (
    AskFirstError,
    CallKind,
    CannotTell,
    Happened,
    NotToHappen,
    ObsoleteError,
    SendAgain,
    Verdict,
    kind_of,
    register,
)
from integrations.outbox.executor import OUR_FAILURE
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.outbox.queue import new_call, queue
from integrations.outbox.settling import may_have_happened, was_accepted
from integrations.status_sync.question import status_question
from integrations.status_sync.status_sync import ask_status
from partner_portal.core.english import english as _

HELD_AS_BEFORE = (
    "Altegio holds this payment as it was told before it was corrected: the correction was not sent. To correct it, "
    "refund it and tell it anew under another external_id."
)
UNSURE = "Altegio says the location is not connected; whether this payment arrived before cannot be known now."
NOT_SHOWN = (
    "Altegio accepted this payment but does not show it as it was sent, so it is not sent a second time. Compare it "
    "with the payments that Altegio shows for the location, and ask Altegio."
)
MAY_BE_REFUNDED = (
    "Altegio refuses the refund, but an earlier try had no answer and may have made it. Altegio says the location is "
    "not connected and shows no payments: ask Altegio whether this one is refunded, and note it on the payment's "
    "page. If the location is connected again, the portal sees it."
)
NOT_READABLE = (
    "Altegio does not show this location's payments in a form that can be read, so whether this one arrived cannot "
    "be known: ask Altegio."
)
# Reasons of a report, and of a refund, that Altegio may have taken nevertheless.
REPORT_UNCONFIRMED = (UNSURE, NOT_READABLE, NOT_SHOWN, OUR_FAILURE)
REFUND_UNCONFIRMED = (MAY_BE_REFUNDED, NOT_READABLE, OUR_FAILURE)
# After this long an answer that cannot be read ends its call, because the location's later payments wait behind it.
MAX_UNREADABLE = timedelta(hours=6)


class _AboutPayment(CallKind):
    """A call about one payment, with the status call as its question."""

    priority: ClassVar[Priority] = Priority.MONEY
    alert_on_failure: ClassVar[bool] = True

    def question(self, call: OutgoingCall) -> ApiRequest:
        payment = _payment(call)
        return status_question(payment.application, payment.location)

    def rounds(self, call: OutgoingCall) -> QuerySet[OutgoingCall]:
        return _payment(call).calls().filter(kind=self.name)


@register
class ReportPayment(_AboutPayment):
    """The call that reports a payment: 200 with the id that a refund needs (docs/altegio.md §2, report a payment)."""

    name = "report_payment"
    title = _("Payment")

    @classmethod
    def new(cls, payment: Payment, *, sends: bool = True) -> OutgoingCall:
        """Return the call of the payment's newest round; a later round asks Altegio before it sends.

        One that does not send only looks whether Altegio holds the payment. A file may hold the payments of years:
        its calls go after those that came one by one.
        """
        call = new_call(
            cls,
            payment.report_key,
            ordering_key=payment.connection.ordering_key,
            connection_id=payment.connection_id,
            state=CallState.QUEUED if payment.report_round == 1 else CallState.UNCONFIRMED,
            payment=payment.pk,
        )
        if not sends:
            call.params |= {"only_asks": True}
        call.turn = int(payment.source == Source.FILE)
        return call

    def request(self, call: OutgoingCall) -> ApiRequest:
        payment = _payment(call)
        if payment.status == PaymentStatus.REFUND_QUEUED:
            # Nothing is sent to be refunded. Altegio's answer decides between a refund and a cancelled payment.
            raise AskFirstError("The payment's refund was asked for.")
        if payment.status != PaymentStatus.QUEUED:
            raise ObsoleteError(f"The payment is {payment.status}.")
        zone = settings.ALTEGIO_TIME_ZONE
        return requests.report_payment(
            payment.location.altegio_id,
            payment.application.altegio_id,
            currency_iso=payment.currency,
            payment_sum=payment.exact_amount,
            payment_date=to_wire(payment.paid_at, zone),
            period_from=to_wire(payment.period_from, zone),
            period_to=to_wire(payment.period_to, zone),
        )

    def is_conclusive(self, answer: Answer) -> bool:
        """Return whether the answer holds the payment's id: a refund needs it, and the status call knows it."""
        return read_payment_id(answer) is not None

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        if status is None:
            return CannotTell()
        payment = lock_payment(call.params["payment"])
        if _is_held(payment, status.payments):
            return Happened()
        if not status.shows_all_payments and may_have_happened(self.rounds(call)):
            return _payments_prove_nothing(call, status, UNSURE)
        if was_accepted(self.rounds(call).exclude(pk__in=undone_calls(payment, status.payments))):
            return NotToHappen(NOT_SHOWN)
        if status.state is AltegioState.NONE:
            return NotToHappen("The location is not connected, and this payment has not arrived.")
        if call.params.get("only_asks"):
            return NotToHappen("This payment has not arrived. Send it again if it is still due.")
        if payment.status == PaymentStatus.REFUND_QUEUED:
            # It never arrived, and is no longer wanted: `request` will find it obsolete.
            payment.status = PaymentStatus.CANCELLED
            payment.save(update_fields=["status"])
            end_alerts(payment)
        return SendAgain()

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        payment = lock_payment(call.params["payment"])
        if payment.altegio_payment_id is None:
            payment.altegio_payment_id = read_payment_id(answer)
            _take_over(payment)
        if payment.status == PaymentStatus.FAILED and payment.refund_asked_at is not None:
            queue_refund(payment)
        elif payment.status in (PaymentStatus.QUEUED, PaymentStatus.FAILED):
            # FAILED: the portal itself had failed, and staff tried the call again.
            payment.status = PaymentStatus.REPORTED
            tell_of_payment(payment)
        payment.error = payment.error if payment.error == HELD_AS_BEFORE else ""
        payment.reported_at = timezone.now()
        payment.save(update_fields=["altegio_payment_id", "status", "error", "reported_at", "refund_round"])
        current = follow_payment(payment)
        if payment.report_round > 1:
            end_alerts(payment)
        if payment.refunded_at is not None:
            mark_refunded(payment)
        elif current.state == State.FROZEN:
            # A payment re-activates the connection (docs/altegio.md §3); the status call tells when it has.
            ask_status(current)

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        payment = lock_payment(call.params["payment"])
        refunded = payment.status == PaymentStatus.REFUND_QUEUED and reason not in REPORT_UNCONFIRMED
        payment.status = PaymentStatus.CANCELLED if refunded else PaymentStatus.FAILED
        payment.error = reason[:500]
        payment.save(update_fields=["status", "error"])
        if refunded:
            end_alerts(payment)

    def bring_back(self, call: OutgoingCall) -> bool:
        payment = lock_payment(call.params["payment"])
        is_newest = call.key == payment.report_key
        if is_newest and payment.status == PaymentStatus.FAILED:
            payment.status, payment.error = PaymentStatus.QUEUED, ""
            if payment.refund_asked_at is not None:
                queue_refund(payment)
            payment.save(update_fields=["status", "error", "refund_round"])
        return is_newest and payment.status in (PaymentStatus.QUEUED, PaymentStatus.REFUND_QUEUED)


@register
class RefundPayment(_AboutPayment):
    """The call that refunds a payment (docs/altegio.md §2, refund).

    Altegio refuses a second refund of a payment, so every refusal is decided by a question.
    """

    name = "refund_payment"
    title = _("Refund")
    yes_is_enough = True

    @classmethod
    def new(cls, payment: Payment) -> OutgoingCall:
        """Return the call of the newest round. It belongs to no connection, so it stays due after the connection."""
        return new_call(cls, payment.refund_key, ordering_key=payment.connection.ordering_key, payment=payment.pk)

    def request(self, call: OutgoingCall) -> ApiRequest:
        payment = _payment(call)
        if payment.status != PaymentStatus.REFUND_QUEUED or payment.altegio_payment_id is None:
            raise ObsoleteError(f"The payment is {payment.status}.")
        return requests.refund_payment(payment.altegio_payment_id)

    def needs_verification(self, answer: Answer) -> bool:
        """Return True: the refund may be refused because it was made before, which `is_refunded` shows."""
        return True

    def judge(self, call: OutgoingCall, answer: Answer) -> Verdict:
        status = read_status(answer, settings.ALTEGIO_TIME_ZONE)
        if status is None:
            return CannotTell()
        payment = _payment(call)
        shown = [remote for remote in status.payments if remote.id == payment.altegio_payment_id]
        if any(remote.is_refunded for remote in shown):
            return Happened()
        if call.refusal_code is None:
            return SendAgain()
        if shown or status.shows_all_payments or not may_have_happened(self.rounds(call)):
            return NotToHappen(call.reason)
        return _payments_prove_nothing(call, status, MAY_BE_REFUNDED)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        mark_refunded(lock_payment(call.params["payment"]))

    def refused(self, call: OutgoingCall, reason: str, answer: Answer) -> None:
        payment = lock_payment(call.params["payment"])
        if payment.status == PaymentStatus.REFUND_QUEUED:
            error = reason if reason in REFUND_UNCONFIRMED else f"Altegio refused the refund: {reason}"
            payment.status, payment.error = PaymentStatus.REPORTED, error[:500]
            payment.save(update_fields=["status", "error"])

    def bring_back(self, call: OutgoingCall) -> bool:
        payment = lock_payment(call.params["payment"])
        is_newest = call.key == payment.refund_key
        if is_newest and payment.status == PaymentStatus.REPORTED:
            payment.status, payment.error = PaymentStatus.REFUND_QUEUED, ""
            payment.save(update_fields=["status", "error"])
        return is_newest and payment.status == PaymentStatus.REFUND_QUEUED


def _payments_prove_nothing(call: OutgoingCall, status: ConnectionStatus, without_connection: str) -> Verdict:
    """Return the verdict where the payments that Altegio shows prove nothing."""
    if status.state is AltegioState.NONE:
        return NotToHappen(without_connection)
    return NotToHappen(NOT_READABLE) if timezone.now() - call.created_at > MAX_UNREADABLE else CannotTell()


def queue_report(payment: Payment, *, sends: bool = True) -> None:
    """Queue a new round of a locked payment's report, which asks Altegio before it sends, if it may send at all."""
    payment.report_round = max(payment.report_round + 1, 2)
    payment.save(update_fields=["report_round"])
    queue([ReportPayment.new(payment, sends=sends)])


def take_over_later(payment: Payment) -> None:
    """Ask about a locked payment that failed though Altegio may hold it; it is refunded behind that if so wished.

    It is not sent: it failed, and its money may have been told anew since. Reports queued before it come first, so
    it takes no payment that is theirs.
    """
    payment.status, payment.error = PaymentStatus.QUEUED, ""
    queue_report(payment, sends=False)
    if payment.refund_asked_at is not None:
        queue_refund(payment)
    payment.save(update_fields=["status", "error", "refund_round"])


def queue_refund(payment: Payment) -> None:
    """Queue a round of a locked payment's refund, behind its report; the caller stores its status and round."""
    payment.status = PaymentStatus.REFUND_QUEUED
    payment.refund_round += 1
    queue([RefundPayment.new(payment)])


def mark_refunded(payment: Payment) -> None:
    """Record that Altegio holds a locked payment as refunded; the paid period and the connection's state follow."""
    payment.status, payment.error, payment.refunded_at = PaymentStatus.REFUNDED, "", timezone.now()
    payment.save(update_fields=["status", "error", "refunded_at"])
    tell_of_refund(payment)
    end_alerts(payment)
    ask_status(follow_payment(payment))


def _payment(call: OutgoingCall) -> Payment:
    return Payment.objects.select_related("application", "location").get(pk=call.params["payment"])


def _is_held(payment: Payment, held: Iterable[RemotePayment]) -> bool:
    """Return whether Altegio holds the payment, as it is or as it was before a correction.

    If it holds an earlier content, the payment takes that content back; if it has refunded the payment since, that is
    noted.
    """
    found = find_remote(payment, held)
    if found is None:
        return False
    remote, content = found
    payment.altegio_payment_id = remote.id
    payment.refunded_at = timezone.now() if remote.is_refunded else None
    if is_former(payment, content):
        payment.error = HELD_AS_BEFORE
        for name in CONTENT:
            setattr(payment, name, getattr(content, name))
    _take_over(payment)
    payment.save(update_fields=["altegio_payment_id", "refunded_at", "error", *CONTENT])
    return True


def end_alerts(payment: Payment) -> None:
    """Clear the alerts about earlier tries."""
    clear_alerts(key__in={alert_key(call, kind_of(call)) for call in payment.calls()})


def _take_over(payment: Payment) -> None:
    """Delete the copy of a reported payment that Altegio reported as collected before its answer to us arrived,
    or though that was lost.
    """
    Payment.objects.filter(
        application=payment.application_id,
        altegio_payment_id=payment.altegio_payment_id,
        source=Source.ALTEGIO,
    ).delete()
