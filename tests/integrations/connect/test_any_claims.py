"""No undecided claim is unmoved, a claim ended by staff stays ended, and all is decided in the end, whatever two
proven people, strangers, staff, workers and Altegio do in whatever order.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from integrations.activation import staff
from integrations.activation.waiting_call import undecided_without_call
from integrations.altegio.answers import Answer
from integrations.altegio.client import AltegioClient
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import LIVE, UNDECIDED, Connection, ConnectionChange, EndedBy
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import OutgoingCall
from integrations.reconciliation.unconfirmed import recheck_unconfirmed
from integrations.status_sync.disconnect import disconnect
from sandbox import Sandbox
from tests.examples import examples
from tests.marketplace import AURORA_1, EMMA, MARIA, follow
from tests.owner_forms import visit
from tests.working import Work

FAULTS = ("drop_before", "drop_after", "html_after", "error_after", "error")

step = st.one_of(
    st.tuples(st.just("press_connect"), st.sampled_from([EMMA, MARIA])),
    st.tuples(st.just("consent"), st.sampled_from([EMMA, MARIA])),
    st.tuples(st.just("be_private"), st.booleans()),
    st.tuples(st.just("recheck")),
    st.tuples(st.just("ask"), st.integers(0, 3)),
    st.tuples(st.just("while_asked"), st.sampled_from([EMMA, MARIA])),
    st.tuples(st.just("come"), st.sampled_from([EMMA, MARIA])),
    st.tuples(st.just("come"), st.sampled_from([EMMA, MARIA])),
    st.tuples(st.just("stranger"), st.integers(0, 2)),
    st.tuples(st.just("fault"), st.sampled_from(["activate", "status", "uninstall"]), st.sampled_from(FAULTS)),
    st.tuples(st.just("kill"), st.booleans()),
    st.tuples(st.just("work")),
    st.tuples(st.just("work")),
    st.tuples(st.just("pass_time"), st.sampled_from([2, 30, 61])),
    st.tuples(st.just("uninstall_at_altegio")),
    st.tuples(st.just("disconnect")),
    st.tuples(
        st.just("decide"), st.sampled_from(["give_to_claimant", "dismiss_claim", "try_again"]), st.integers(0, 3)
    ),
)


class WorkerKilledError(BaseException):
    """Raised in place of kill -9, as far as Python can imitate it."""


class Interleaving:
    """A sequence of events at one location."""

    def __init__(self, altegio: Sandbox, work: Work, traveller: Any) -> None:
        self.altegio, self._work, self.traveller = altegio, work, traveller
        self.support = User.objects.create_user("support@example.com", "pass", is_staff=True)
        self.consented_at = timezone.now()  # the last time that somebody did
        self.came: set[str] = set()  # whose it may be since then, by their e-mail addresses
        self.awaited = ""  # who consented and has not come yet: until then it may be whoever comes

    def press_connect(self, user_id: int) -> None:
        self.consent(user_id)
        self.come(user_id)

    def consent(self, user_id: int) -> None:
        # The gap is larger than the clocks may differ, so the order is certain.
        self.traveller.shift(timedelta(seconds=6))
        self.consented_at = timezone.now()
        self.altegio.grant(AURORA_1, user_id=user_id, at=self.consented_at)
        self.awaited = self._email(user_id)
        self.came = {self.awaited}

    def _email(self, user_id: int) -> str:
        return self.altegio.world.user(user_id).email

    def be_private(self, private: bool) -> None:
        self.altegio.set_application(1, private=private)

    def recheck(self) -> None:
        recheck_unconfirmed()

    def ask(self, number: int) -> None:
        for pk in list(Connection.objects.order_by("-pk").values_list("pk", flat=True))[number : number + 1]:
            staff.ask_altegio(pk)

    def while_asked(self, user_id: int) -> None:
        """Press Connect between Altegio's answer to a question and the moment when it is read."""
        send = AltegioClient.send
        done: list[ApiRequest] = []

        def answer(client: AltegioClient, call: ApiRequest) -> Answer:
            answered = send(client, call)
            if call.method == "GET" and "/salon/" in call.path and not done:
                done.append(call)
                self.press_connect(user_id)
                dispatch_due()
            return answered

        with patch.object(AltegioClient, "send", answer):
            self.work()

    def come(self, user_id: int) -> None:
        self._note(self._email(user_id))
        assert follow(Client(), self.altegio, AURORA_1, user_id=user_id).status_code == 303

    def _note(self, email: str) -> None:
        if self.awaited:
            self.came.add(email)
        if self.awaited == email:
            self.awaited = ""

    def stranger(self, number: int) -> None:
        email = f"bot{number}@example.com"
        self._note(email)
        visit(self.altegio, AURORA_1, email, f"198.51.{number}.1")

    def fault(self, call: str, kind: str) -> None:
        self.altegio.fault(kind, call)

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
        self._work(rounds=1)
        OutgoingCall.objects.update(due_at=timezone.now())

    def pass_time(self, minutes: int) -> None:
        self.traveller.shift(timedelta(minutes=minutes))

    def uninstall_at_altegio(self) -> None:
        held = self.altegio.connection(AURORA_1)
        if held is not None and held.is_installed:
            self.altegio.uninstall(AURORA_1)

    def disconnect(self) -> None:
        for live in Connection.objects.filter(state__in=LIVE):
            disconnect(live.pk, by=None, why="The owner disconnects.")

    def decide(self, what: str, number: int) -> None:
        chosen = list(Connection.objects.order_by("-pk").values_list("pk", flat=True))[number : number + 1]
        for pk in chosen:
            with suppress(staff.NotPossibleError):
                getattr(staff, what)(pk, self.support)

    def holds(self) -> None:
        assert not undecided_without_call().exists()
        assert Connection.objects.filter(state__in=LIVE).count() <= 1
        for ended in Connection.objects.filter(ended_by=EndedBy.STAFF):
            assert (ended.state, ended.owner) == ("failed", None)
        for change in ConnectionChange.objects.filter(from_state="failed").exclude(to_state="failed"):
            earlier = change.connection.changes.filter(pk__lt=change.pk).latest("pk")
            assert earlier.by is None or change.by is not None, "what staff ended, staff alone take up"
        accepted = Connection.objects.filter(state__in=LIVE, activated_at__gt=self.consented_at, changes__by=None)
        for live in accepted.exclude(owner=None).exclude(changes__by=self.support):
            assert live.owner is not None
            assert live.owner.email in self.came, "who has consented has it, or whom staff chose"
        unproven = Connection.objects.filter(is_proven=False)
        assert not Connection.objects.filter(is_disputed=True, pk__in=unproven).exists()

    def end(self) -> None:
        self.altegio.clear_faults()
        self._work()
        self.holds()
        self.pass_time(130)
        self._work()
        self.holds()
        assert not Connection.objects.filter(state__in=UNDECIDED).exists(), "all ends by itself"
        self.press_connect(EMMA)
        self._work()
        self.holds()


def test_nothing_undecided_is_ever_unmoved(altegio: Sandbox, work: Work) -> None:
    tried, wanted = 0, examples(20, 300)

    @settings(**wanted, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(st.lists(step, max_size=14))
    def any_interleaving(events: Any) -> None:
        nonlocal tried
        tried += 1
        with transaction.atomic(), time_machine.travel(timezone.now(), tick=True) as traveller:
            altegio.reset()
            altegio.configure(callbacks_enabled=False)
            run = Interleaving(altegio, work, traveller)
            for name, *details in events:
                getattr(run, name)(*details)
                run.holds()
            run.end()
            transaction.set_rollback(True)

    any_interleaving()
    assert tried >= wanted["max_examples"]
