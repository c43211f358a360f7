"""The claimant is known when the person of an earlier connection returns to it."""

import pytest

from accounts.models import User
from integrations.connect.claimants import Claimant
from integrations.connections.models import Connection
from tests.marketplace import proven_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return proven_owner("owner@owner.example")


@pytest.fixture
def claimant() -> User:
    """Return the first claimant; the location is not bound to them."""
    return User.objects.create_user("claimant@owner.example")


def test_the_claimant_is_the_owner_to_whom_staff_gave_the_location(owner: User, claimant: User) -> None:
    behind = Claimant.behind(Connection(owner=owner, claimant=claimant, claim=f"u:{claimant.pk}", is_proven=False))
    assert (behind.user, behind.claim, behind.is_proven) == (owner, f"u:{owner.pk}", True)


def test_the_claimant_of_a_location_without_an_owner_is_who_claimed_it(claimant: User) -> None:
    behind = Claimant.behind(Connection(claimant=claimant, is_proven=False, network="n"))
    assert (behind.user, behind.is_proven, behind.network) == (claimant, False, "n")
    assert behind.visitor


def test_a_signature_on_the_earlier_arrival_is_a_proof(claimant: User) -> None:
    assert Claimant.behind(Connection(claimant=claimant, is_proven=True)).is_proven


def test_a_person_who_is_not_known_stays_who_they_were() -> None:
    behind = Claimant.behind(Connection(claim="a:7", is_proven=False, visitor="v", network="n"))
    assert behind == Claimant("a:7", None, is_proven=False, visitor="v", network="n")
