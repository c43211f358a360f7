"""Whatever happens in whatever order, Altegio holds exactly the payments and refunds that were asked for."""

from collections import Counter
from unittest.mock import patch

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import Payment
from integrations.altegio.client import AltegioClient
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import OutgoingCall
from tests.examples import examples

SALONS = (10101, 10102)
UNCERTAIN = ("drop_before", "drop_after", "html_after", "broken_json_after", "redirect_after", "error_after", "error")

# Few sums, so that equal real payments are common.
record = st.tuples(st.just("record"), st.sampled_from(SALONS), st.sampled_from(["10.00", "10.00", "20.00"]))
repeat = st.tuples(st.just("repeat"), st.integers(0, 5))
refund = st.tuples(st.just("refund"), st.integers(0, 5))
fault = st.tuples(st.just("fault"), st.sampled_from(["payment", "refund", "status"]), st.sampled_from(UNCERTAIN))
time_out = st.tuples(st.just("time_out"), st.sampled_from(["payment", "refund"]))
kill = st.tuples(st.just("kill"), st.booleans())
work_once = st.tuples(st.just("work"))
steps = st.lists(st.one_of(record, record, refund, repeat, fault, fault, kill, work_once, time_out), max_size=14)


class WorkerKilledError(BaseException):
    """kill -9, as far as Python can play it."""


class Interleaving:
    """One order of events between a billing system, workers and a failing Altegio."""

    def __init__(self, altegio, billing, work):
        self.altegio, self.billing, self.work_until_done = altegio, billing, work
        self.sent, self.refunded = [], set()

    def record(self, salon, amount):
        body = {"external_id": f"bill-{len(self.sent)}", "salon_id": salon, "amount": amount}
        self.sent.append((body, self.billing.pay(**body)))

    def repeat(self, number):
        if number < len(self.sent):
            body, payment = self.sent[number]
            answer = self.billing.tell(**body)
            assert (answer.status_code, answer.json()["id"]) == (200, payment)

    def refund(self, number):
        if number < len(self.sent):
            answer = self.billing.refund(self.sent[number][1])
            assert answer.status_code == (200 if number in self.refunded else 202)
            self.refunded.add(number)

    def fault(self, call, kind):
        self.altegio.fault(kind, call)

    def time_out(self, call):
        self.altegio.fault("delay_after", call, seconds=0.6)

    def kill(self, after_sending):
        send = AltegioClient.send

        def die(client, call):
            if after_sending:
                send(client, call)
            raise WorkerKilledError

        with patch.object(AltegioClient, "send", die):
            try:
                dispatch_due()
            except WorkerKilledError:
                OutgoingCall.objects.filter(state="sending").update(lease_until=timezone.now())

    def work(self):
        self.work_until_done(rounds=1)
        OutgoingCall.objects.update(due_at=timezone.now())

    def check(self):
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
            for payment in self.altegio.connection(salon).payments
        )
        assert held == wished
        ids = Payment.objects.exclude(altegio_payment_id=None).values_list("altegio_payment_id", flat=True)
        assert len(set(ids)) == len(ids) == sum(held.values())


def test_altegio_holds_exactly_what_was_asked_for(altegio, billing, connect, work, settings_for_time_outs):
    tried = 0

    @settings(**examples(20, 300), deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(steps)
    def any_interleaving(events):
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
