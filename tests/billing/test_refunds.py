"""A refund reaches Altegio once, and never for a payment that was not reported."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from billing.call_kinds import RefundPayment
from billing.intake import MAX_ROUNDS
from billing.models import Payment
from integrations.alerts.models import Alert
from integrations.connections.models import Connection
from integrations.outbox import executor
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.billing.conftest import Billing
from tests.not_none import not_none
from tests.working import Work

from .conftest import SALON

pytestmark = pytest.mark.django_db


def remote(altegio: Sandbox) -> Any:
    return not_none(altegio.connection(SALON)).payments


@pytest.fixture
def reported(billing: Billing, connection: Connection, work: Work) -> int:
    payment = billing.pay()
    work()
    return payment


def test_a_reported_payment_is_refunded_once(altegio: Sandbox, billing: Billing, reported: int, work: Work) -> None:
    first, again = billing.refund(reported), billing.refund(reported)
    assert (first.status_code, first.json()["status"]) == (202, "refund_queued")
    assert (again.status_code, again.json()["status"]) == (200, "refund_queued")
    work()
    assert billing.refund(reported).status_code == 200
    work()
    assert billing.payment(reported)["status"] == "refunded"
    assert [payment.is_refunded for payment in remote(altegio)] == [True]
    assert len(altegio.requests("refund")) == 1


def test_the_refund_of_a_queued_payment_cancels_its_report(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    payment = billing.pay()
    answer = billing.refund(payment)
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert billing.refund(payment).status_code == 200
    work()
    assert altegio.requests("payment") == []
    assert billing.payment(payment)["status"] == "cancelled"


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "html_after", "error_after", "error"])
def test_a_payment_is_refunded_after_an_uncertain_report(
    altegio: Sandbox, billing: Billing, reported: int, work: Work, fault: str
) -> None:
    altegio.fault(fault, "refund")
    billing.refund(reported)
    work()
    assert billing.payment(reported)["status"] == "refunded"
    assert remote(altegio)[0].is_refunded


@pytest.mark.parametrize("body", [{"ok": True}, {"status": "maintenance"}, []])
def test_a_payment_is_not_refunded_because_a_gateway_says_yes(
    altegio: Sandbox, billing: Billing, reported: int, work: Work, body: Any
) -> None:
    altegio.fault("error", "refund", status=200, body=body)
    billing.refund(reported)
    work()
    assert remote(altegio)[0].is_refunded
    assert len(altegio.requests("refund")) == 2
    assert billing.payment(reported)["status"] == "refunded"


@pytest.mark.parametrize(("fault", "sent"), [("drop_after", 1), ("drop_before", 0)])
def test_an_unconfirmed_payment_is_settled_before_its_refund(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work, fault: str, sent: int
) -> None:
    altegio.fault(fault, "payment")
    payment = billing.pay()
    work(rounds=1)
    assert billing.refund(payment).json()["status"] == "refund_queued"
    work()
    assert billing.payment(payment)["status"] == ("refunded" if sent else "cancelled")
    assert [payment.is_refunded for payment in remote(altegio)] == [True] * sent


def test_a_payment_whose_attempt_never_left_is_not_sent_to_be_refunded(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    """The refund was requested while a worker looked for a connection to Altegio and found none."""
    payment = billing.pay()
    report = OutgoingCall.objects.filter(kind="report_payment")
    report.update(state="sending")
    assert billing.refund(payment).json()["status"] == "refund_queued"
    report.update(state="queued")
    work()
    assert billing.payment(payment)["status"] == "cancelled"
    assert altegio.requests("payment") == []


def test_a_payment_cancelled_because_its_location_left_sends_no_email(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("drop_before", "payment")
    payment = billing.pay()
    work(rounds=1)
    billing.refund(payment)
    ended = {"success": True, "data": {"connection_status": {"status": "uninstalled"}, "payments": []}}
    altegio.fault("error", "status", status=200, body=ended)
    work()
    assert billing.payment(payment)["status"] == "cancelled"
    assert not Alert.objects.filter(kind=Alert.Kind.CALL, cleared_at=None).exists()


@pytest.fixture
def failed_unconfirmed(altegio: Sandbox, billing: Billing, connection: Connection, work: Work) -> Any:
    """Return a function that makes a payment whose refund was requested while nobody knew whether Altegio had it."""

    def run(fault: str) -> int:
        altegio.fault(fault, "payment")
        payment = billing.pay(external_id="bill")
        work(rounds=1)
        assert billing.refund(payment).json()["status"] == "refund_queued"
        altegio.fault("error", "status", status=404)
        work()
        assert billing.payment(payment)["status"] == "failed"
        altegio.clear_faults()
        return payment

    return run


@pytest.mark.parametrize(("fault", "status"), [("drop_after", "refunded"), ("drop_before", "cancelled")])
@pytest.mark.parametrize("by_staff", [False, True])
def test_a_retry_still_refunds_a_payment_whose_refund_was_requested(
    altegio: Sandbox,
    billing: Billing,
    failed_unconfirmed: Callable[[str], int],
    admin_client: Client,
    work: Work,
    *,
    fault: str,
    status: str,
    by_staff: bool,
) -> None:
    payment = failed_unconfirmed(fault)
    if by_staff:
        again = {"action": "send_again", "_selected_action": payment, "confirmed": "yes"}
        admin_client.post("/admin/billing/payment/", again)
    else:
        answer = billing.post(f"payments/{payment}/retry/")
        assert (answer.status_code, answer.json()["status"]) == (202, "refund_queued")
    work()
    assert billing.payment(payment)["status"] == status
    assert [each.is_refunded for each in remote(altegio)] == [True] * (status == "refunded")
    assert not Alert.objects.filter(kind=Alert.Kind.CALL, cleared_at=None).exists()


def test_a_correction_cancels_the_requested_refund(
    altegio: Sandbox, billing: Billing, failed_unconfirmed: Callable[[str], int], work: Work
) -> None:
    payment = failed_unconfirmed("drop_before")
    assert billing.report(external_id="bill", amount="990.90").json()["status"] == "queued"
    work()
    assert billing.payment(payment)["status"] == "reported"
    assert [each.is_refunded for each in remote(altegio)] == [False]
    assert Payment.objects.get().refund_asked_at is None


def test_a_payment_already_refunded_at_altegio_is_recorded_as_refunded(
    altegio: Sandbox, billing: Billing, reported: int, work: Work
) -> None:
    altegio.fault("error_after", "refund", status=403, body={"success": False, "meta": {"message": "Already"}})
    billing.refund(reported)
    work()
    assert billing.payment(reported)["status"] == "refunded"


@pytest.mark.parametrize(("gone_answer", "status"), [("empty", "refunded"), ("404", "reported")])
def test_the_end_of_a_connection_does_not_turn_an_unknown_attempt_into_a_refusal(
    altegio: Sandbox, billing: Billing, reported: int, work: Work, gone_answer: str, status: str
) -> None:
    altegio.configure(gone_answer=gone_answer)
    altegio.fault("drop_after", "refund")
    billing.refund(reported)
    work(rounds=1)
    altegio.uninstall(SALON)
    work()
    shown = billing.payment(reported)
    assert shown["status"] == status
    assert ("may have made it" in shown["error"]) is (status == "reported")


@pytest.fixture
def unconfirmed(altegio: Sandbox, billing: Billing, reported: int, work: Work) -> int:
    """Return a payment that Altegio has refunded, though it neither said so nor shows the payment any more."""
    altegio.configure(gone_answer="404")
    altegio.fault("drop_after", "refund")
    billing.refund(reported)
    work(rounds=1)
    altegio.uninstall(SALON)
    work()
    return reported


def test_an_unconfirmed_refund_stays_so_however_often_it_is_requested(
    altegio: Sandbox, billing: Billing, unconfirmed: int, work: Work
) -> None:
    assert billing.refund(unconfirmed).status_code == 202
    work()
    assert len(altegio.requests("refund")) == 3
    assert "may have made it" in billing.payment(unconfirmed)["error"]


def test_staff_record_what_altegio_says_about_an_unconfirmed_refund(
    billing: Billing, unconfirmed: int, admin_client: Client
) -> None:
    page = admin_client.get(f"/admin/billing/payment/{unconfirmed}/change/").content.decode()
    assert "Altegio says it is refunded" in page
    note = {"action": "note_refund", "_selected_action": unconfirmed, "confirmed": "yes"}
    admin_client.post("/admin/billing/payment/", note)

    assert billing.payment(unconfirmed)["status"] == "refunded"
    assert Payment.objects.get().connection.paid_until is None
    assert not Alert.objects.filter(kind="call", cleared_at=None).exists()
    assert LogEntry.objects.get().change_message == "Altegio says it is refunded"


def fail(*_: object) -> None:
    raise RuntimeError("a fault of ours")


def test_a_refund_that_the_portal_failed_goes_out_when_staff_retry(
    altegio: Sandbox, billing: Billing, reported: int, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "FAILING", replace(executor.FAILING, max_failures=1))
    monkeypatch.setattr(RefundPayment, "request", fail)
    billing.refund(reported)
    work()
    alerts = Alert.objects.filter(cleared_at=None, kind="call")
    assert (billing.payment(reported)["status"], alerts.count()) == ("reported", 1)

    monkeypatch.undo()
    executor.FAILING.try_again(list(OutgoingCall.objects.filter(kind="refund_payment").values_list("pk", flat=True)))
    assert billing.payment(reported)["status"] == "refund_queued"
    work()
    assert (billing.payment(reported)["status"], alerts.count()) == ("refunded", 0)
    assert len(altegio.requests("refund")) == 1


def test_a_failure_of_the_portal_is_not_a_refusal_by_altegio(
    altegio: Sandbox, billing: Billing, reported: int, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "FAILING", replace(executor.FAILING, max_failures=1))
    monkeypatch.setattr(RefundPayment, "accepted", fail)
    billing.refund(reported)
    work()
    shown = billing.payment(reported)
    assert (shown["status"], shown["error"][:17]) == ("reported", "The portal failed")

    monkeypatch.undo()
    executor.FAILING.try_again(list(OutgoingCall.objects.filter(kind="refund_payment").values_list("pk", flat=True)))
    work()
    assert billing.payment(reported)["status"] == "refunded"


def test_staff_cannot_record_a_refund_that_is_not_unconfirmed(
    billing: Billing, reported: int, admin_client: Client
) -> None:
    page = admin_client.get(f"/admin/billing/payment/{reported}/change/").content.decode()
    assert "Altegio says it is refunded" not in page
    note = {"action": "note_refund", "_selected_action": reported, "confirmed": "yes"}
    answer = admin_client.post("/admin/billing/payment/", note, follow=True).content.decode()

    assert "is not in doubt" in answer
    assert billing.payment(reported)["status"] == "reported"


def test_a_refused_refund_leaves_the_payment_and_may_be_requested_again(
    altegio: Sandbox, billing: Billing, reported: int, work: Work
) -> None:
    altegio.fault("error", "refund", status=422, body={"success": False, "meta": {"message": "Too late"}})
    billing.refund(reported)
    work()
    shown = billing.payment(reported)
    assert (shown["status"], shown["error"]) == ("reported", "Altegio refused the refund: Too late")
    assert billing.refund(reported).status_code == 202
    work()
    assert billing.payment(reported)["status"] == "refunded"


def test_a_script_that_requests_refunds_without_end_is_stopped(billing: Billing, reported: int) -> None:
    Payment.objects.update(refund_round=MAX_ROUNDS)
    answer = billing.refund(reported)
    assert (answer.status_code, b"1000 times" in answer.content) == (409, True)


def test_a_failed_payment_cannot_be_refunded(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    altegio.fault("error", "payment", status=422)
    payment = billing.pay()
    work()
    assert billing.refund(payment).status_code == 409


def test_an_unknown_payment_is_404(billing: Billing) -> None:
    assert billing.refund(1).status_code == 404


def test_the_paid_period_and_the_state_follow(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work
) -> None:
    payment = billing.pay(period_from="2026-11-01T00:00:00Z", period_to="2126-11-01T00:00:00Z")
    work()
    billing.refund(payment)
    work()
    connection.refresh_from_db()
    assert (connection.paid_until, connection.state) == (None, "frozen")


def test_a_refund_is_due_although_the_connection_ended(
    altegio: Sandbox, billing: Billing, reported: int, work: Work
) -> None:
    altegio.uninstall(SALON)
    billing.refund(reported)
    work()
    assert remote(altegio)[0].is_refunded


def test_a_refund_made_at_altegio_is_noticed(
    altegio: Sandbox, billing: Billing, connection: Connection, reported: int, work: Work
) -> None:
    with altegio.world.lock:
        stored = not_none(altegio.world.connection(1, SALON)).payments[0]
        stored.refunded_at = stored.payment_date
    ask_status(connection)
    work()
    assert billing.payment(reported)["status"] == "refunded"
    assert not OutgoingCall.objects.filter(kind="refund_payment").exists()
    assert Payment.objects.get().refunded_at is not None
