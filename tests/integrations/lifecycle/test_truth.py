"""After a reconciliation the portal holds Altegio's truth, however callbacks were doubled,
reordered, late or lost.
"""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from integrations.connections.models import LIVE, Connection
from integrations.reconciliation.models import Reconciliation
from integrations.reconciliation.start import start_run
from sandbox import RefusalError, Sandbox, Status
from tests.callbacks import send_callback
from tests.examples import examples
from tests.marketplace import EMMA, arrive, follow
from tests.working import Work

pytestmark = pytest.mark.django_db
PLACES = (10101, 10102)
OTHER = 9002
AS_SEEN_HERE = {Status.ACTIVE: "active", Status.FREEZED: "frozen"}

place = st.sampled_from(PLACES)
# The number of copies of the callback that arrive at some time: lost, once or twice.
copies = st.integers(0, 2)
steps = st.one_of(
    st.tuples(st.just("arrive"), place, st.sampled_from([EMMA, EMMA, OTHER])),
    st.tuples(st.just("follow"), place, st.sampled_from([EMMA, OTHER])),
    st.tuples(st.just("uninstall"), place, copies),
    st.tuples(st.just("freeze"), place, copies),
    st.tuples(st.just("pay"), place, copies),
    st.tuples(st.just("deliver"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("work"), st.just(0), st.just(0)),
)


class Story:
    """A story at Altegio, and its callbacks that are under way."""

    def __init__(self, client: Client, altegio: Sandbox, work: Work) -> None:
        self.client, self.altegio, self.work = client, altegio, work
        self.under_way: list[tuple[str, int]] = []

    def do(self, what: str, where: int, how: int) -> None:
        if what in ("arrive", "follow"):
            {"arrive": arrive, "follow": follow}[what](self.client, self.altegio, where, user_id=how)
        elif what == "work":
            self.work()
        elif what == "deliver":
            self.deliver(where)
        else:
            self.happens(what, where, how)

    def happens(self, what: str, where: int, copies: int) -> None:
        try:
            getattr(self.altegio, what)(where)
        except RefusalError:
            return
        # No lifecycle event reports what a payment does to a frozen connection.
        self.under_way += [("uninstall" if what == "uninstall" else "freeze", where)] * copies

    def deliver(self, index: int) -> None:
        if self.under_way:
            event, where = self.under_way.pop(index % len(self.under_way))
            assert send_callback(self.client, event, salon_id=where).status_code == 200

    def seen_here(self) -> list[tuple[int, str]]:
        alive = Connection.objects.filter(state__in=LIVE)
        return sorted(alive.values_list("location__altegio_id", "state"))

    def true(self) -> list[tuple[int, str]]:
        found = ((where, self.altegio.status_of(where)) for where in PLACES)
        return [(where, AS_SEEN_HERE[status]) for where, status in found if status in AS_SEEN_HERE]


@example([("arrive", 10101, EMMA), ("work", 0, 0), ("uninstall", 10101, 2), ("arrive", 10101, EMMA), ("work", 0, 0)])
@example([("arrive", 10101, EMMA), ("work", 0, 0), ("uninstall", 10101, 0), ("arrive", 10101, OTHER)])
@example([("arrive", 10101, EMMA), ("work", 0, 0), ("freeze", 10101, 0), ("uninstall", 10101, 0)])
@settings(**examples(20, 300), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, max_size=14))
def test_after_a_reconciliation_the_portal_holds_altegios_truth(
    client: Client, altegio: Sandbox, work: Work, payload: Any
) -> None:
    with transaction.atomic():
        altegio.reset()
        altegio.configure(callbacks_enabled=False)
        cache.clear()
        story = Story(client, altegio, work)
        for step in payload:
            story.do(*step)
        work()
        start_run(Reconciliation.Trigger.NIGHTLY)
        work()
        assert Reconciliation.objects.get().state == "done"
        assert story.seen_here() == story.true()
        while story.under_way:
            story.deliver(0)
        work()
        assert story.seen_here() == story.true(), "late callbacks change nothing"
        transaction.set_rollback(True)
