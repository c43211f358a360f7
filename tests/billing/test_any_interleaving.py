"""Altegio holds exactly the requested payments and refunds, whatever happens in whatever order."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import Payment
from integrations.altegio.client import AltegioClient
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Connection
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import OutgoingCall
from sandbox import Sandbox
from tests.billing.conftest import Billing
from tests.examples import examples
from tests.not_none import not_none
from tests.working import Work

SALONS = (10101, 10102)
UNCERTAIN = ("drop_before", "drop_after", "html_after", "broken_json_after", "redirect_after", "error_after", "error")

# There are few sums, so that equal real payments are common.
record = st.tuples(st.just("record"), st.sampled_from(SALONS), st.sampled_from(["10.00", "10.00", "20.00"]))
repeat = st.tuples(st.just("repeat"), st.integers(0, 5))
refund = st.tuples(st.just("refund"), st.integers(0, 5))
fault = st.tuples(st.just("fault"), st.sampled_from(["payment", "refund", "status"]), st.sampled_from(UNCERTAIN))
time_out = st.tuples(st.just("time_out"), st.sampled_from(["payment", "refund"]))
kill = st.tuples(st.just("kill"), st.booleans())
work_once = st.tuples(st.just("work"))
steps = st.lists(st.one_of(record, record, refund, repeat, fault, fault, kill, work_once, time_out), max_size=14)


class WorkerKilledError(BaseException):
    """Raised in place of kill -9, as far as Python can imitate it."""


class Interleaving:
    """One order of events between a billing system, workers and a failing Altegio."""

    def __init__(self, altegio: Sandbox, billing: Billing, work: Work) -> None:
        self.altegio, self.billing, self.work_until_done = altegio, billing, work
        self.sent: list[Any] = []
        self.refunded: set[Any] = set()

    def record(self, salon: int, amount: str) -> None:
        body = {"external_id": f"bill-{len(self.sent)}", "salon_id": salon, "amount": amount}
        self.sent.append((body, self.billing.pay(**body)))

    def repeat(self, number: int) -> None:
        if number < len(self.sent):
            body, payment = self.sent[number]
            answer = self.billing.report(**body)
            assert (answer.status_code, answer.json()["id"]) == (200, payment)

    def refund(self, number: int) -> None:
        if number < len(self.sent):
            answer = self.billing.refund(self.sent[number][1])
            assert answer.status_code == (200 if number in self.refunded else 202)
            self.refunded.add(number)

    def fault(self, call: str, kind: str) -> None:
        self.altegio.fault(kind, call)

    def time_out(self, call: str) -> None:
        self.altegio.fault("delay_after", call, seconds=0.6)

    def kill(self, after_sending: bool) -> None:
        send = AltegioClient.send

        def die(client: AltegioClient, call: ApiRequest) -> None:
            if after_sending:
                send(client, call)
            raise WorkerKilledError

        with patch.object(AltegioClient, "send", die):
            try:
                dispatch_due()
            except WorkerKilledError:
                OutgoingCall.objects.filter(state="sending").update(lease_until=timezone.now())

    def work(self) -> None:
        self.work_until_done(rounds=1)
        OutgoingCall.objects.update(due_at=timezone.now())

    def check(self) -> None:
        self.altegio.clear_faults()
        self.work_until_done()
        wished: Counter[tuple[int, str, bool]] = Counter()
        for number, (body, payment) in enumerate(self.sent):
            status = self.billing.payment(payment)["status"]
            assert status in (("refunded", "cancelled") if number in self.refunded else ("reported",))
            if status != "cancelled":
                wished[body["salon_id"], body["amount"], number in self.refunded] += 1
        held = Counter(
            (salon, str(payment.payment_sum), payment.is_refunded)
            for salon in SALONS
            for payment in not_none(self.altegio.connection(salon)).payments
        )
        assert held == wished
        ids = Payment.objects.exclude(altegio_payment_id=None).values_list("altegio_payment_id", flat=True)
        assert len(set(ids)) == len(ids) == sum(held.values())


def test_altegio_holds_exactly_what_was_asked_for(
    altegio: Sandbox,
    billing: Billing,
    connect: Callable[..., Connection],
    work: Work,
    settings_for_time_outs: Any,
) -> None:
    tried = 0

    @settings(**examples(20, 300), deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(steps)
    def any_interleaving(events: Any) -> None:
        nonlocal tried
        tried += 1
        with transaction.atomic():
            altegio.reset()
            altegio.configure(callbacks_enabled=False)
            for salon in SALONS:
                connect(salon)
            run = Interleaving(altegio, billing, work)
            for name, *details in events:
                getattr(run, name)(*details)
            run.check()
            transaction.set_rollback(True)

    any_interleaving()
    print(f"{tried} interleavings tried")
