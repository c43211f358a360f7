"""Staff decide at the moment in which the sweep ends the claim's window: neither fails."""

import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

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
from tests.integrations.connect.test_claims import later
from tests.integrations.test_at_once import at_once
from tests.marketplace import AURORA_1, MARIA, arrive, follow

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone."),
]


@pytest.mark.parametrize(
    ("decide", "rivals", "becomes"),
    [
        (staff.dismiss_claim, True, ("failed", EndedBy.STAFF)),
        (staff.give_to_claimant, True, ("failed", EndedBy.WINDOW)),
        (staff.try_again, False, ("granted", "")),
    ],
)
def test_staff_decide_when_the_window_ends(
    client: Client,
    altegio: Sandbox,
    decide: Callable[[int, User], None],
    rivals: bool,
    becomes: tuple[str, str],
) -> None:
    arrive(client, altegio, AURORA_1)
    if rivals:
        follow(client, altegio, AURORA_1, user_id=MARIA)
    support = User.objects.create_user("support@example.com", "pass", is_staff=True)
    claim = Connection.objects.earliest("pk")
    sweep_has_the_call, staff_have_the_connection = threading.Event(), threading.Event()
    expired = Activate.expired

    def expire(*arguments: Any) -> None:
        sweep_has_the_call.set()
        assert staff_have_the_connection.wait(5)
        expired(*arguments)

    def lock_between(pk: int) -> Connection:
        assert sweep_has_the_call.wait(5)
        locked = lock(pk)
        staff_have_the_connection.set()
        return locked

    with later(61), patch.object(Activate, "expired", expire), patch.object(staff, "lock", lock_between):
        results = at_once(expire_late_calls, lambda: decide(claim.pk, support))
    errors = [each for each in results if isinstance(each, Exception)]
    assert [each for each in errors if not isinstance(each, staff.NotPossibleError)] == []
    assert not FailedItem.objects.exists()
    claim.refresh_from_db()
    assert (claim.state, claim.ended_by) == becomes
