"""A failed payment is sent again, unchanged or corrected, by its system, a file or staff, and never paid twice."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from billing.call_kinds import ReportPayment
from billing.csv_import import import_payments
from billing.intake import MAX_ROUNDS, Overlap
from billing.models import CONTENT, Payment, PaymentChange
from integrations.alerts.models import Alert
from integrations.backoffice.timeline.entries import timeline
from integrations.connections.models import Connection
from integrations.outbox import executor
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.billing.conftest import Billing
from tests.not_none import not_none
from tests.working import Work

from .conftest import JANUARY, SALON

pytestmark = pytest.mark.django_db
# The fault holds for every attempt: a machine under load may be slow to receive the first refusal.
REFUSED = {"remaining": 9, "status": 422, "body": {"success": False, "meta": {"message": "Wrong sum"}}}


def held(altegio: Sandbox, salon: int = SALON) -> list[str]:
    return [
        str(payment.payment_sum)
        for payment in not_none(altegio.connection(salon)).payments
        if not payment.is_refunded
    ]


@pytest.fixture
def failed(altegio: Sandbox, billing: Billing, connection: Connection, work: Work) -> int:
    """Return the id of a payment, reported as "bill", that Altegio has refused."""
    altegio.fault("error", "payment", **REFUSED)
    payment = billing.pay(external_id="bill")
    work()
    altegio.clear_faults()
    assert billing.payment(payment)["status"] == "failed"
    return payment


@pytest.fixture
def lost(altegio: Sandbox, billing: Billing, connection: Connection, work: Work) -> int:
    """Return a payment that Altegio accepted, though it refused it in words."""
    altegio.fault("error_after", "payment", **REFUSED)
    payment = billing.pay(external_id="bill")
    work()
    altegio.clear_faults()
    assert (billing.payment(payment)["status"], held(altegio)) == ("failed", ["990.99"])
    return payment


def test_a_retry_asks_first_and_then_sends(altegio: Sandbox, billing: Billing, failed: int, work: Work) -> None:
    answer = billing.post(f"payments/{failed}/retry/")
    assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (202, "queued", "")
    work()
    assert billing.payment(failed)["status"] == "reported"
    assert held(altegio) == ["990.99"]
    call = OutgoingCall.objects.get(key=f"payment:{failed}:2")
    assert list(call.attempts.values_list("purpose", flat=True)) == [Attempt.Purpose.ASK, Attempt.Purpose.SEND]


def test_a_retry_of_a_payment_that_altegio_holds_sends_nothing(
    altegio: Sandbox, billing: Billing, lost: int, work: Work
) -> None:
    billing.post(f"payments/{lost}/retry/")
    work()
    assert billing.payment(lost)["status"] == "reported"
    assert held(altegio) == ["990.99"]


@pytest.mark.leaves_stranded("its state is planted without the call that goes with it")
@pytest.mark.parametrize("status", ["queued", "reported", "refund_queued", "refunded", "cancelled"])
def test_only_a_failed_payment_is_sent_again(billing: Billing, failed: int, status: str) -> None:
    Payment.objects.update(status=status, altegio_payment_id=1)
    assert billing.post(f"payments/{failed}/retry/").status_code == 409
    assert billing.report(external_id="bill", amount="1.00").status_code == 409
    assert not PaymentChange.objects.exists()


def test_an_unknown_payment_is_404(billing: Billing) -> None:
    assert billing.post("payments/1/retry/").status_code == 404


def test_the_same_content_leaves_a_failed_payment_as_it_is(billing: Billing, failed: int) -> None:
    answer = billing.report(external_id="bill")
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (200, failed, "failed")
    assert OutgoingCall.objects.filter(kind="report_payment").count() == 1


def test_corrected_content_replaces_the_payment_and_is_sent(
    altegio: Sandbox, billing: Billing, failed: int, work: Work
) -> None:
    answer = billing.report(external_id="bill", amount="990.90")
    assert (answer.status_code, answer.json()["id"], answer.json()["amount"]) == (202, failed, "990.90")
    assert billing.report(external_id="bill", amount="990.90").status_code == 200
    assert billing.report(external_id="bill").status_code == 409, "what was told before is not what it says now"
    work()
    assert billing.payment(failed)["status"] == "reported"
    assert held(altegio) == ["990.90"]


def test_a_correction_of_a_payment_that_altegio_holds_is_not_sent(
    altegio: Sandbox, billing: Billing, lost: int, work: Work
) -> None:
    billing.report(external_id="bill", amount="990.90")
    work()
    shown = billing.payment(lost)
    assert (shown["status"], shown["amount"], held(altegio)) == ("reported", "990.99", ["990.99"])
    assert "as it was told before" in shown["error"]
    assert billing.refund(lost).status_code == 202, "and it can be refunded"


def test_a_correction_may_be_corrected(altegio: Sandbox, billing: Billing, failed: int, work: Work) -> None:
    altegio.fault("error", "payment", **REFUSED)
    billing.report(external_id="bill", amount="0.01")
    work()
    altegio.clear_faults()
    assert billing.payment(failed)["status"] == "failed"
    assert billing.report(external_id="bill").status_code == 202
    work()
    assert held(altegio) == ["990.99"]
    assert [str(change.amount) for change in PaymentChange.objects.all()] == ["990.9900", "0.0100"]


def test_a_correction_may_name_another_location(
    altegio: Sandbox, billing: Billing, failed: int, connect: Callable[..., Connection], work: Work
) -> None:
    other = connect(10301)
    assert billing.report(external_id="bill", salon_id=10301).status_code == 202
    work()
    shown = billing.payment(failed)
    assert (shown["status"], shown["salon_id"], shown["connection_id"]) == ("reported", 10301, other.pk)
    assert (held(altegio), held(altegio, 10301)) == ([], ["990.99"])
    other.refresh_from_db()
    assert not_none(other.paid_until).isoformat() == "2026-01-31T23:59:59+00:00"


def test_an_unknown_location_in_a_correction_is_named(billing: Billing, failed: int) -> None:
    answer = billing.report(external_id="bill", salon_id=10199)
    assert (answer.status_code, list(answer.json())) == (400, ["salon_id"])
    assert billing.payment(failed)["status"] == "failed"


def test_a_payment_with_an_unknown_outcome_stays_at_its_location(
    altegio: Sandbox, billing: Billing, connect: Callable[..., Connection], work: Work
) -> None:
    connection = connect()
    connect(10301)
    altegio.fault("drop_after", "payment")
    altegio.fault("error", "status", status=404)
    payment = billing.pay(external_id="bill")
    work()
    assert billing.payment(payment)["status"] == "failed"
    assert billing.report(external_id="bill", salon_id=10301).status_code == 409
    assert billing.report(external_id="bill", amount="1.00").status_code == 202
    work()
    assert held(altegio) == ["990.99"]
    assert billing.payment(payment)["altegio_payment_id"] is not None
    assert connection.payments.get().amount == Payment.objects.get().amount


def test_a_certainly_refused_payment_may_go_to_another_location(
    altegio: Sandbox, billing: Billing, failed: int, connect: Callable[..., Connection], work: Work
) -> None:
    """This holds even after a retry to which Altegio answers that the location is not connected."""
    connect(10301)
    altegio.fault("error", "status", status=404)
    billing.post(f"payments/{failed}/retry/")
    work()
    shown = billing.payment(failed)
    assert (shown["status"], "has not arrived" in shown["error"]) == ("failed", True)
    assert billing.report(external_id="bill", salon_id=10301).status_code == 202
    work()
    assert (held(altegio), held(altegio, 10301)) == ([], ["990.99"])


def test_a_payment_that_never_left_may_go_to_another_location(
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    connect: Callable[..., Connection],
    work: Work,
    settings: Settings,
) -> None:
    """The first attempt found no connection and the next was refused: Altegio holds nothing, whatever it says of the
    location.
    """
    connect(10301)
    settings.ALTEGIO_APP_URL, there = "http://127.0.0.1:9", settings.ALTEGIO_APP_URL
    payment = billing.pay(external_id="bill")
    work(rounds=1)
    settings.ALTEGIO_APP_URL = there
    altegio.fault("error", "payment", status=422)
    work()
    altegio.fault("error", "status", status=404)
    billing.post(f"payments/{payment}/retry/")
    work()
    assert "has not arrived" in billing.payment(payment)["error"]
    assert billing.report(external_id="bill", salon_id=10301).status_code == 202
    work()
    assert (held(altegio), held(altegio, 10301)) == ([], ["990.99"])


def test_a_payment_accepted_without_an_id_stays_at_its_location(
    altegio: Sandbox, billing: Billing, connection: Connection, connect: Callable[..., Connection], work: Any
) -> None:
    connect(10301)
    altegio.fault("error_after", "payment", status=200, body={"success": True, "data": {}})
    altegio.fault("error", "status", status=404)
    billing.pay(external_id="bill")
    work()
    assert held(altegio) == ["990.99"]
    assert billing.report(external_id="bill", salon_id=10301).status_code == 409


def fail(*_: object) -> None:
    raise RuntimeError("a fault of ours")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Make the portal fail after Altegio's acceptance; the first failure ends the call."""
    monkeypatch.setattr(executor, "FAILING", replace(executor.FAILING, max_failures=1))

    monkeypatch.setattr(ReportPayment, "accepted", fail)
    return monkeypatch


def test_a_failure_of_the_portal_is_not_an_answer_of_altegio(
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    connect: Callable[..., Connection],
    failing: pytest.MonkeyPatch,
    work: Work,
) -> None:
    connect(10301)
    payment = billing.pay(external_id="bill")
    work()
    shown = billing.payment(payment)
    assert (shown["status"], "The portal failed" in shown["error"]) == ("failed", True)
    assert billing.report(external_id="bill", salon_id=10301).status_code == 409, "Altegio holds it"

    failing.undo()
    executor.FAILING.try_again(list(OutgoingCall.objects.filter(kind="report_payment").values_list("pk", flat=True)))
    work()
    shown = billing.payment(payment)
    assert (shown["status"], shown["error"], held(altegio)) == ("reported", "", ["990.99"])


@pytest.fixture
def given_up(billing: Billing, connection: Connection, monkeypatch: pytest.MonkeyPatch, work: Work) -> int:
    """Return a payment that the portal fails to report, until `monkeypatch.undo()`; its call is a dead letter."""
    monkeypatch.setattr(executor, "FAILING", replace(executor.FAILING, max_failures=1))
    monkeypatch.setattr(ReportPayment, "request", fail)
    payment = billing.pay()
    work()
    return payment


def test_a_payment_that_the_portal_failed_to_send_goes_out_when_staff_retry(
    altegio: Sandbox, billing: Billing, given_up: int, monkeypatch: pytest.MonkeyPatch, work: Work
) -> None:
    alerts = Alert.objects.filter(cleared_at=None, kind="call")
    assert (billing.payment(given_up)["status"], alerts.count(), held(altegio)) == ("failed", 1, [])

    monkeypatch.undo()
    dead = list(OutgoingCall.objects.filter(kind="report_payment").values_list("pk", flat=True))
    assert executor.FAILING.try_again(dead) == 1
    assert (billing.payment(given_up)["status"], alerts.count()) == ("queued", 1)
    work()
    assert (billing.payment(given_up)["status"], alerts.count(), held(altegio)) == ("reported", 0, ["990.99"])


def test_a_dead_round_is_not_tried_again_beside_a_newer_one(
    altegio: Sandbox, billing: Billing, given_up: int, monkeypatch: pytest.MonkeyPatch, work: Work
) -> None:
    monkeypatch.undo()
    dead = list(OutgoingCall.objects.filter(kind="report_payment").values_list("pk", flat=True))
    billing.post(f"payments/{given_up}/retry/")
    assert executor.FAILING.try_again(dead) == 0
    work()
    assert held(altegio) == ["990.99"]
    assert OutgoingCall.objects.get(pk=dead[0]).state == "refused"


def test_a_payment_that_the_portal_failed_to_report_is_not_cancelled_by_its_refund(
    altegio: Sandbox,
    billing: Billing,
    connection: Connection,
    failing: pytest.MonkeyPatch,
    work: Work,
) -> None:
    altegio.fault("drop_after", "payment")
    payment = billing.pay()
    work(rounds=1)
    assert billing.refund(payment).json()["status"] == "refund_queued"
    work()
    assert (billing.payment(payment)["status"], held(altegio)) == ("failed", ["990.99"])

    failing.undo()
    executor.FAILING.try_again(list(OutgoingCall.objects.filter(kind="report_payment").values_list("pk", flat=True)))
    work()
    assert (billing.payment(payment)["status"], held(altegio)) == ("refunded", [])


def test_a_retry_waits_before_it_trusts_that_altegio_holds_nothing(
    altegio: Sandbox, billing: Billing, connection: Connection, work: Work, settings: Settings
) -> None:
    settings.ALTEGIO_TIMEOUT_SECONDS = 0.3
    altegio.fault("delay", "payment", seconds=1.5)
    altegio.fault("error", "status", status=404)
    payment = billing.pay()
    work(rounds=3)
    assert billing.payment(payment)["status"] == "failed"
    settings.ALTEGIO_SETTLING_SECONDS = 20
    billing.post(f"payments/{payment}/retry/")
    work(rounds=3)
    assert len(altegio.requests("payment")) == 1


def test_after_a_reconnection_the_payment_belongs_to_the_new_connection(
    altegio: Sandbox,
    billing: Billing,
    failed: int,
    connection: Connection,
    connect: Callable[..., Connection],
    work: Work,
) -> None:
    altegio.uninstall(SALON)
    ask_status(connection)
    work()
    newer = connect()
    assert newer.pk != connection.pk
    billing.post(f"payments/{failed}/retry/")
    work()
    assert billing.payment(failed)["connection_id"] == newer.pk
    newer.refresh_from_db()
    assert newer.paid_until is not None
    assert not Alert.objects.filter(kind="call", cleared_at=None).exists()


def test_the_alert_of_the_failed_payment_ends_with_its_mending(
    altegio: Sandbox, billing: Billing, failed: int, work: Work
) -> None:
    assert Alert.objects.get(kind="call").cleared_at is None
    altegio.fault("error", "payment", **REFUSED)
    billing.post(f"payments/{failed}/retry/")
    work()
    assert Alert.objects.filter(kind="call", cleared_at=None).exists()
    altegio.clear_faults()
    billing.post(f"payments/{failed}/retry/")
    work()
    assert not Alert.objects.filter(kind="call", cleared_at=None).exists()


def test_the_history_shows_the_old_content_and_the_reason_of_the_failure(
    billing: Billing, failed: int, connection: Connection
) -> None:
    billing.report(external_id="bill", amount="990.90")
    (entry,) = [entry for entry in timeline(connection) if entry.kind == "payment sent again"]
    assert entry.title.startswith("Payment sent again; before: 990.99 EUR")
    assert entry.detail == "It had failed: Wrong sum"


def test_a_file_corrects_too_and_its_rehearsal_says_so(altegio: Sandbox, failed: int, work: Work) -> None:
    row = {"external_id": "bill", **JANUARY, "amount": "990.90"}
    lines = [",".join(row), ",".join(map(str, row.values()))]
    for dry_run in (True, False):
        (read,) = import_payments(lines, overlap=Overlap.WARN, dry_run=dry_run)
        assert (read.is_new, read.refused) == (True, "")
    work()
    assert held(altegio) == ["990.90"]


def test_staff_send_again_by_the_same_rule(
    altegio: Sandbox, client: Client, billing: Billing, failed: int, work: Work
) -> None:
    boss = User.objects.create_superuser("boss@partner.example", "a very long password")
    client.force_login(boss)
    action = {"action": "send_again", "_selected_action": [failed], "confirmed": "yes"}
    client.post("/admin/billing/payment/", action, follow=True)
    work()
    assert held(altegio) == ["990.99"]
    assert PaymentChange.objects.get().by == boss
    page = client.get(f"/admin/billing/payment/{failed}/change/").content.decode()
    assert "Wrong sum" in page


def test_a_script_that_loops_ends_and_staff_may_go_on(
    altegio: Sandbox, billing: Billing, failed: int, admin_client: Client, work: Work
) -> None:
    Payment.objects.update(report_round=MAX_ROUNDS)
    for answer in (billing.post(f"payments/{failed}/retry/"), billing.report(external_id="bill", amount="990.90")):
        assert answer.status_code == 409
        assert b"1000 times" in answer.content
    action = {"action": "send_again", "_selected_action": [failed], "confirmed": "yes"}
    admin_client.post("/admin/billing/payment/", action)
    work()
    assert held(altegio) == ["990.99"]


@pytest.mark.leaves_stranded("its state is planted without the call that goes with it")
def test_a_large_number_of_rounds_is_no_error(
    billing: Billing, failed: int, connection: Connection, admin_client: Client
) -> None:
    for action, status in (("send_again", "failed"), ("refund", "reported")):
        Payment.objects.update(status=status, report_round=32_000, refund_round=32_000, altegio_payment_id=1)
        chosen = {"action": action, "_selected_action": [failed], "confirmed": "yes"}
        page = admin_client.post("/admin/billing/payment/", chosen, follow=True).content.decode()
        assert "It was tried 32000 times" in page


def test_a_payments_page_shows_the_newest_of_many_rounds(
    billing: Billing, failed: int, connection: Connection, admin_client: Client
) -> None:
    payment = Payment.objects.get()
    keep = {"source": "api", "application": payment.application, "location": payment.location}
    keep |= {name: getattr(payment, name) for name in CONTENT}
    PaymentChange.objects.bulk_create(PaymentChange(payment=payment, error=f"No {n}.", **keep) for n in range(60))
    page = admin_client.get(f"/admin/billing/payment/{failed}/change/").content.decode()
    assert "No 9." not in page
    assert page.index("No 10.") < page.index("No 59.")


def at_once(*calls: Any) -> list[Any]:
    answers = []

    def run(call: Any) -> None:
        answers.append(call().status_code)
        connections.close_all()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


@pytest.mark.django_db(transaction=True)
def test_retries_at_once_are_one(altegio: Sandbox, billing: Billing, failed: int, work: Work) -> None:
    assert at_once(*[lambda: billing.post(f"payments/{failed}/retry/")] * 5) == [202, 409, 409, 409, 409]
    work()
    assert held(altegio) == ["990.99"]


@pytest.mark.django_db(transaction=True)
def test_equal_corrections_at_once_are_one(altegio: Sandbox, billing: Billing, failed: int, work: Work) -> None:
    assert at_once(*[lambda: billing.report(external_id="bill", amount="990.90")] * 4) == [200, 200, 200, 202]
    work()
    assert held(altegio) == ["990.90"]


@pytest.mark.django_db(transaction=True)
def test_a_retry_and_a_correction_at_once_become_one_of_the_two(
    altegio: Sandbox, billing: Billing, failed: int, work: Work
) -> None:
    answers = at_once(
        lambda: billing.post(f"payments/{failed}/retry/"),
        lambda: billing.report(external_id="bill", amount="990.90"),
        lambda: billing.post(f"payments/{failed}/retry/"),
    )
    assert answers == [202, 409, 409]
    work()
    assert len(held(altegio)) == 1


@pytest.mark.django_db(transaction=True)
def test_moving_and_retrying_at_once_locks_nobody_out(
    altegio: Sandbox, billing: Billing, failed: int, connect: Callable[..., Connection], work: Work
) -> None:
    connect(10301)
    answers = at_once(
        lambda: billing.report(external_id="bill", salon_id=10301),
        lambda: billing.post(f"payments/{failed}/retry/"),
        lambda: billing.refund(failed),
    )
    assert answers.count(202) >= 1
    assert set(answers) <= {202, 409}
    work()
    assert len(held(altegio) + held(altegio, 10301)) <= 1
    assert not Connection.objects.filter(state="conflict").exists()
