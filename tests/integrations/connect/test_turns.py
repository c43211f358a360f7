"""Activations take turns by person: who comes often, or with many locations, holds nobody up."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.activation.waiting_call import wake
from integrations.connect.claimants import Claimant
from integrations.connect.claims import claim_locations, give_claims
from integrations.connections.models import Application, Connection, State
from integrations.outbox.claim import claim_next
from integrations.outbox.models import CallState, OutgoingCall, Priority
from integrations.outbox.sweep import expire_late_calls
from partner_portal.core.watch import heal_stranded
from tests.marketplace import AURORA_1, EMMAS_EMAIL, proven_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def application() -> Application:
    return Application.objects.create(altegio_id=1)


def claims(application: Application, claimant: Claimant, salon_ids: Sequence[int]) -> None:
    now = timezone.now()
    claim_locations(application, salon_ids, claimant, arrived_at=now, now=now)


def comes_often(application: Application, claimant: Claimant, arrivals: int) -> None:
    for number in range(arrivals):
        claims(application, claimant, range(1000 + number * 20, 1020 + number * 20))


def claims_and_proves_it_afterwards(
    application: Application, claimant: Claimant, arrival: str, salon_ids: Sequence[int]
) -> None:
    claims(application, Claimant(f"s:{arrival}", None, is_proven=False), salon_ids)
    give_claims(Connection.objects.filter(claim=f"s:{arrival}").order_by("pk"), {f"s:{arrival}"}, claimant)
    claims(application, claimant, salon_ids)


def called_until(salon_id: int) -> list[int]:
    called: list[int] = []
    while salon_id not in called and (claim := claim_next()):
        assert claim.call.connection is not None
        called.append(claim.call.connection.location.altegio_id)
    return called


def turns() -> list[int]:
    return list(OutgoingCall.objects.order_by("pk").values_list("turn", flat=True))


@pytest.mark.parametrize("known", [True, False])
def test_a_person_who_comes_again_and_again_holds_nobody_up(application: Application, known: bool) -> None:
    """A proven account, or a signed user whose account must be opened by its owner first."""
    mallory = Claimant.of(proven_owner("mallory@example.com")) if known else Claimant("a:66", None, is_proven=True)
    comes_often(application, mallory, 30)
    claims(application, Claimant.of(proven_owner(EMMAS_EMAIL)), [AURORA_1])
    assert len(called_until(AURORA_1)) <= 21


@pytest.mark.parametrize("state", [CallState.QUEUED, CallState.HELD])
def test_who_claims_unproven_and_proves_it_afterwards_many_times_holds_nobody_up(
    application: Application, settings: Settings, state: CallState
) -> None:
    settings.UNPROVEN_LOCATIONS_PER_ADDRESS = settings.UNPROVEN_LOCATIONS_PER_NETWORK = 200
    application.hold_activations = state == CallState.HELD
    application.save()
    mallory = Claimant.of(proven_owner("mallory@example.com"))
    for number in range(4):
        first = 1000 + number * 200
        claims_and_proves_it_afterwards(application, mallory, str(number), range(first, first + 200))
    claims(application, Claimant.of(proven_owner(EMMAS_EMAIL)), [AURORA_1])
    assert turns() == [index // 20 for index in range(800)] + [0]
    OutgoingCall.objects.update(state=CallState.QUEUED)
    assert len(called_until(AURORA_1)) <= 21


def test_who_proves_a_few_claims_is_in_the_first_turn(application: Application) -> None:
    maria = Claimant.of(proven_owner("maria@example.com"))
    claims_and_proves_it_afterwards(application, maria, "1", range(1, 21))
    assert turns() == [0] * 20


def their_hour_is_over() -> None:
    """The owner pressed Connect again half an hour ago, so each claim goes on for half an hour."""
    now = timezone.now()
    Connection.objects.update(
        arrived_at=now - timedelta(minutes=70), last_arrived_at=now - timedelta(minutes=30), deadline_at=now
    )
    OutgoingCall.objects.update(deadline_at=now)
    expire_late_calls()


def a_call_is_missing_and_they_are_woken() -> None:
    OutgoingCall.objects.update(state=CallState.DONE)
    wake(list(Connection.objects.select_related("application").order_by("pk")))


def a_call_is_missing_and_the_watch_finds_it() -> None:
    OutgoingCall.objects.update(state=CallState.DONE)
    heal_stranded()


@pytest.mark.parametrize(
    "begin_again",
    [their_hour_is_over, a_call_is_missing_and_they_are_woken, a_call_is_missing_and_the_watch_finds_it],
)
def test_a_backlog_that_goes_on_with_new_calls_keeps_its_turns(
    application: Application, begin_again: Callable[[], None]
) -> None:
    claims(application, Claimant.of(proven_owner("chain@example.com")), range(1, 51))
    begin_again()
    by_connection = OutgoingCall.objects.filter(state=CallState.UNCONFIRMED).order_by("connection")
    assert list(by_connection.values_list("turn", flat=True)) == [0] * 20 + [1] * 20 + [2] * 10


def test_the_locations_of_a_chain_take_turns_whether_they_come_at_once_or_not(application: Application) -> None:
    claims(application, Claimant.of(proven_owner("chain@example.com")), range(1, 51))
    at_once = turns()
    OutgoingCall.objects.all().delete()
    Connection.objects.all().delete()
    one_by_one = Claimant.of(proven_owner("again@example.com"))
    for location in range(1, 51):
        claims(application, one_by_one, [location])
    assert turns() == at_once == [0] * 20 + [1] * 20 + [2] * 10


def test_what_altegio_has_decided_holds_its_person_up_no_longer(application: Application) -> None:
    claimant = Claimant.of(proven_owner("chain@example.com"))
    comes_often(application, claimant, 2)
    Connection.objects.update(state=State.FAILED)
    claims(application, claimant, [AURORA_1])
    assert turns()[-1] == 0


def test_the_number_of_queries_does_not_grow_with_what_waits(application: Application) -> None:
    claimant = Claimant.of(proven_owner("chain@example.com"))
    taken = []
    for locations in (range(1, 3), range(3, 5)):
        with CaptureQueriesContext(connection) as queries:
            claims(application, claimant, locations)
        taken.append(len(queries))
        comes_often(application, claimant, 3)
    assert taken[0] == taken[1]


def test_a_claim_that_is_proven_while_its_call_is_sent_waits_on_among_the_proven(application: Application) -> None:
    visitor = Claimant("s:1", None, is_proven=False)
    claims(application, visitor, [AURORA_1])
    OutgoingCall.objects.update(state=CallState.SENDING, turn=200)
    maria = Claimant.of(proven_owner("maria@example.com"))
    give_claims(Connection.objects.filter(claim="s:1"), {"s:1"}, maria)
    claims(application, maria, [AURORA_1])
    call = OutgoingCall.objects.get()
    assert (call.state, call.priority, call.turn) == (CallState.SENDING, Priority.ACTIVATION, 0)
    OutgoingCall.objects.update(state=CallState.QUEUED)
