"""Staff decide at the moment when the sweep ends the claim's window: whoever is first, neither fails."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from integrations.activation import staff
from integrations.activation.call_kinds import Activate
from integrations.connections.models import Connection, EndedBy
from integrations.connections.transitions import lock
from integrations.outbox.sweep import expire_late_calls
from partner_portal.core.models import FailedItem
from sandbox import Sandbox
from tests.clock import later
from tests.concurrency import at_once, wait_for_the_other
from tests.marketplace import AURORA_1, MARIA, arrive, follow

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone."),
]


Work = Callable[[], None]


def staff_before_sweep(patch: pytest.MonkeyPatch, decide: Work) -> list[Any]:
    """Run the sweep while staff have locked the claim and not yet changed its call: it waits for nobody."""
    staff_have_it, sweep_is_through = threading.Event(), threading.Event()

    def lock_before(pk: int) -> Connection:
        locked = lock(pk)
        if not staff_have_it.is_set():
            staff_have_it.set()
            assert sweep_is_through.wait(20)
        return locked

    def sweep() -> None:
        assert staff_have_it.wait(20)
        expire_late_calls()
        sweep_is_through.set()

    patch.setattr(staff, "lock", lock_before)
    return at_once(sweep, decide)


def sweep_before_staff(patch: pytest.MonkeyPatch, decide: Work) -> list[Any]:
    """Let staff act while the sweep has locked the call and not yet changed the claim."""
    sweep_has_it = threading.Event()
    expired = Activate.expired

    def expire(*arguments: Any) -> None:
        if not sweep_has_it.is_set():
            sweep_has_it.set()
            wait_for_the_other()
        expired(*arguments)

    def decide_after() -> None:
        assert sweep_has_it.wait(20)
        decide()

    patch.setattr(Activate, "expired", expire)
    return at_once(expire_late_calls, decide_after)


@pytest.mark.parametrize(
    ("meet", "decide", "rivals", "becomes"),
    [
        (staff_before_sweep, staff.dismiss_claim, True, ("failed", EndedBy.STAFF)),
        (staff_before_sweep, staff.give_to_claimant, True, ("granted", "")),
        (staff_before_sweep, staff.try_again, False, ("granted", "")),
        (sweep_before_staff, staff.dismiss_claim, True, ("failed", EndedBy.WINDOW)),
        (sweep_before_staff, staff.give_to_claimant, True, ("failed", EndedBy.WINDOW)),
        (sweep_before_staff, staff.try_again, False, ("granted", "")),
    ],
)
def test_staff_decide_when_the_window_ends(
    client: Client,
    altegio: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    meet: Callable[[pytest.MonkeyPatch, Work], list[Any]],
    decide: Callable[[int, User], None],
    rivals: bool,
    becomes: tuple[str, str],
) -> None:
    arrive(client, altegio, AURORA_1)
    if rivals:
        follow(client, altegio, AURORA_1, user_id=MARIA)
    support = User.objects.create_user("support@example.com", "pass", is_staff=True)
    claim = Connection.objects.earliest("pk")
    with later(61):
        results = meet(monkeypatch, lambda: decide(claim.pk, support))
    errors = [each for each in results if isinstance(each, Exception)]
    assert [each for each in errors if not isinstance(each, staff.NotPossibleError)] == []
    assert not FailedItem.objects.exists()
    claim.refresh_from_db()
    assert (claim.state, claim.ended_by) == becomes
