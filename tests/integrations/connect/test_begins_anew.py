"""An e-mail on an arrival takes the account over or not, row by row, for an account with a proven address."""

import pytest
from django.utils import timezone

from accounts.models import AltegioIdentity, User
from integrations.connect.registration import begins_anew, may_act
from integrations.connections.models import Arrival
from tests.marketplace import EMMA, MARIA, proven_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    """Return Anna, whose address is proven; Emma's Altegio user is linked to her account."""
    anna = proven_owner("anna@owner.example")
    AltegioIdentity.objects.create(user=anna, altegio_user_id=EMMA)
    return anna


@pytest.mark.parametrize(
    ("signed_up", "altegio_user", "anew"),
    [(True, None, True), (True, EMMA, True), (False, MARIA, True), (False, EMMA, False), (False, None, False)],
)
def test_a_person_whose_account_was_unknown_takes_it_over(
    anna: User, signed_up: bool, altegio_user: int | None, anew: bool
) -> None:
    arrival = Arrival(expected_user=anna, signed_up=signed_up, altegio_user_id=altegio_user)
    assert begins_anew(arrival, anna) is anew


def test_an_arrival_that_is_hers_already_or_waits_for_another_takes_nothing_over(anna: User) -> None:
    other = User.objects.create_user("other@owner.example")
    for arrival in (Arrival(user=anna, expected_user=anna), Arrival(user=other, expected_user=anna), Arrival()):
        arrival.signed_up, arrival.altegio_user_id = True, MARIA
        assert not begins_anew(arrival, anna)


def test_an_address_that_was_never_proven_always_begins_anew(anna: User) -> None:
    anna.email_proven_at = None
    assert begins_anew(Arrival(user=anna), anna)
    anna.email_proven_at = timezone.now()
    assert not begins_anew(Arrival(user=anna), anna)


def test_one_person_alone_may_act_and_anybody_where_nobody_is_waited_for(anna: User) -> None:
    other = User.objects.create_user("other@owner.example")
    for arrival in (Arrival(user=anna), Arrival(expected_user=anna), Arrival(user=anna, expected_user=other)):
        assert (may_act(arrival, anna), may_act(arrival, other)) == (True, False)
    assert may_act(Arrival(), other)
    assert not may_act(Arrival(claim="a:1"), other)
