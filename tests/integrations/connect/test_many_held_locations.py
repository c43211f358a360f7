"""An owner may sign in on an arrival that names many locations which they already hold."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from integrations.activation.call_kinds import Activate
from integrations.connect import arrivals
from integrations.connect.claimants import Claimant, visitor_of
from integrations.connect.claims import give_claims
from integrations.connections.models import UNDECIDED, Application, Arrival, Connection, Location
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.status_sync import AskStatus
from tests.marketplace import EMMA, EMMAS_EMAIL, proven_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def emma() -> User:
    return proven_owner(EMMAS_EMAIL)


def arrival_at_held(count: int, emma: User) -> Arrival:
    """Return an arrival with Emma's signed address, before her sign-in; she already holds all its locations."""
    application = Application.objects.get_or_create(altegio_id=1)[0]
    now = timezone.now()
    locations = [Location.objects.create(altegio_id=count * 1000 + number) for number in range(count)]
    times: dict[str, Any] = {"arrived_at": now, "last_arrived_at": now, "deadline_at": now + timedelta(hours=1)}
    arrival = Arrival.objects.create(
        application=application,
        salon_ids=[location.altegio_id for location in locations],
        altegio_user_id=EMMA,
        claim=f"a:{EMMA}",
        expected_address_hash=visitor_of(emma),
        deadline_at=times["deadline_at"],
    )
    for location in locations:
        there: dict[str, Any] = {"application": application, "location": location, **times}
        Connection.objects.create(state="active", claim=f"u:{emma.pk}", owner=emma, activated_at=now, **there)
        claim = arrival.connections.create(state="conflict", claim=f"a:{EMMA}", **there)
        Activate.new(claim).save()
    return arrival


def test_signing_in_takes_constant_queries(emma: User) -> None:
    taken = []
    for count in (3, 30):
        arrival = arrival_at_held(count, emma)
        with CaptureQueriesContext(connection) as queries:
            arrivals.give_to(arrival, emma, is_just_proven=True)
        held = Connection.objects.live().filter(arrivals=arrival)
        assert held.count() == count
        assert not arrival.connections.undecided().exists()
        taken.append(len(queries))
        emma.identities.all().delete()
        emma.refresh_from_db()
    assert taken[0] == taken[1]


def test_a_location_that_was_just_asked_about_is_asked_about_later(emma: User) -> None:
    arrivals.give_to(arrival_at_held(3, emma), emma, is_just_proven=True)
    questions = OutgoingCall.objects.filter(kind=AskStatus.name, state="queued")
    assert questions.count() == 3
    assert not questions.filter(due_at__lt=timezone.now() + timedelta(seconds=30)).exists()


def test_the_live_one_of_her_claims_at_a_location_takes_all_arrivals(emma: User) -> None:
    """There are two sign-ups under her address and one accepted claim; none was known to be hers."""
    application = Application.objects.create(altegio_id=1)
    location = Location.objects.create(altegio_id=1)
    now = timezone.now()
    for number, state in enumerate(["granted", "conflict", "active"]):
        claim = f"s:{number}"
        arrival = Arrival.objects.create(
            application=application, salon_ids=[1], claim=claim, expected_user=emma, deadline_at=now
        )
        arrival.connections.create(
            application=application,
            location=location,
            state=state,
            claim=claim,
            activated_at=now if state == "active" else None,
            arrived_at=now,
            last_arrived_at=now + timedelta(seconds=number),
            deadline_at=now,
        )
    everything = list(Connection.objects.order_by("pk"))
    give_claims(everything, {each.claim for each in everything}, Claimant.of(emma))
    stands = Connection.objects.get(state="active")
    assert (stands.owner, stands.arrivals.count()) == (emma, 3)
    assert set(Connection.objects.exclude(pk=stands.pk).values_list("state", "claim")) == {("failed", f"u:{emma.pk}")}


def claimed_here(state: str, **columns: Any) -> Connection:
    """Make one of several connections at a location that came with Emma's arrivals, before her account was known."""
    now = timezone.now()
    connection = Connection.objects.create(
        application=Application.objects.get_or_create(altegio_id=1)[0],
        location=Location.objects.get_or_create(altegio_id=1)[0],
        state=state,
        claim=f"a:{EMMA}",
        activated_at=now if state == "active" else None,
        **dict.fromkeys(("arrived_at", "last_arrived_at"), now),
        deadline_at=now + timedelta(hours=1),
        **columns,
    )
    if state in UNDECIDED:
        Activate.new(connection).save()
    return connection


@pytest.mark.parametrize("ended", ["uninstalled", "expired", "failed"])
@pytest.mark.parametrize("state", ["granted", "conflict", "active"])
def test_claims_that_ended_before_the_sign_in_take_nothing_away(emma: User, ended: str, state: str) -> None:
    first = claimed_here(ended, ended_by="staff", ended_at=timezone.now())
    second = claimed_here(state)
    give_claims([first, second], {f"a:{EMMA}"}, Claimant.of(emma))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.ended_by) == (ended, "staff")
    assert (second.state, second.claim) == (state, f"u:{emma.pk}")
    assert second.owner == (emma if state == "active" else None)


def test_no_claim_gives_way_to_one_that_staff_must_decide(emma: User) -> None:
    connections = [claimed_here("active", is_disputed=True), claimed_here("conflict")]
    give_claims(connections, {f"a:{EMMA}"}, Claimant.of(emma))
    assert Connection.objects.filter(state="conflict").exists()
