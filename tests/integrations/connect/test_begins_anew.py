"""An e-mail on an arrival takes the account over or not, row by row, for an account with a proven address."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AltegioIdentity, User
from integrations.connect.expectations import expect
from integrations.connect.registration import begins_anew, may_act, opens_to_reader
from integrations.connections.models import Arrival
from tests.marketplace import EMMA, MARIA, proven_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    """Return Anna, whose address is proven; Emma's Altegio user is linked to her account."""
    anna = proven_owner("anna@owner.example")
    AltegioIdentity.objects.create(user=anna, altegio_user_id=EMMA)
    return anna


def waiting_for(owner: User, **columns: Any) -> Arrival:
    arrival = Arrival(claim="s:1", **columns)
    expect(arrival, owner)
    return arrival


@pytest.mark.parametrize(
    ("signed_up", "altegio_user", "anew"),
    [(True, None, True), (True, EMMA, True), (False, MARIA, True), (False, EMMA, False), (False, None, False)],
)
def test_a_person_whose_account_was_unknown_takes_it_over(
    anna: User, signed_up: bool, altegio_user: int | None, anew: bool
) -> None:
    arrival = waiting_for(anna, signed_up=signed_up, altegio_user_id=altegio_user)
    assert begins_anew(arrival, anna) is anew


def test_an_arrival_that_is_hers_already_or_waits_for_another_takes_nothing_over(anna: User) -> None:
    other = User.objects.create_user("other@owner.example")
    for arrival in (waiting_for(anna, user=anna), waiting_for(anna, user=other), Arrival()):
        arrival.signed_up, arrival.altegio_user_id = True, MARIA
        assert not begins_anew(arrival, anna)


def test_an_address_that_was_never_proven_always_begins_anew(anna: User) -> None:
    anna.email_proven_at = None
    assert begins_anew(Arrival(user=anna), anna)
    anna.email_proven_at = timezone.now()
    assert not begins_anew(Arrival(user=anna), anna)


def test_one_person_alone_may_act_and_anybody_where_nobody_is_waited_for(anna: User) -> None:
    other = proven_owner("other@owner.example")
    for arrival in (Arrival(user=anna), waiting_for(anna), waiting_for(other, user=anna)):
        assert (may_act(arrival, anna), may_act(arrival, other)) == (True, False)
        assert (opens_to_reader(arrival, anna), opens_to_reader(arrival, other)) == (True, False)
    for opens in (may_act, opens_to_reader):
        assert opens(Arrival(), other)
        assert not opens(Arrival(claim="a:1"), other)


def test_an_arrival_waits_for_who_proves_the_address_whatever_account_has_it(anna: User) -> None:
    arrival, heir = waiting_for(anna), User(pk=anna.pk + 1, email=anna.email, email_proven_at=timezone.now())
    anna.email = "anna@new.example"
    assert (may_act(arrival, anna), may_act(arrival, heir)) == (False, True)
    heir.email_proven_at = None
    assert (may_act(arrival, heir), opens_to_reader(arrival, heir)) == (False, True)
