"""Many people who name the same locations at the same moment, in real threads, each get an answer."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection, connections
from django.test import Client

from accounts.models import User
from integrations.activation.staff import give_to_claimant
from integrations.activation.waiting_call import undecided_without_call
from integrations.altegio.signatures import Person
from integrations.connect.arrivals import receive_signed
from integrations.connect.parameters import Redirect
from integrations.connections.models import Application, Arrival, Connection, Location
from sandbox import Sandbox
from tests.concurrency import at_once
from tests.marketplace import AURORA_1, AURORA_2, EMMA, MARIA, follow

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write after the other."),
]
AT_ONCE = 8


@pytest.mark.parametrize("known", [[], [AURORA_1], [AURORA_1, AURORA_2]])
def test_arrivals_of_two_people_at_new_locations(altegio: Sandbox, known: list[int]) -> None:
    Application.objects.get_or_create(altegio_id=1)
    Location.objects.bulk_create([Location(altegio_id=salon_id) for salon_id in known])
    together = Barrier(AT_ONCE)

    def come(number: int) -> list[int]:
        try:
            together.wait()
            salons = [AURORA_1, AURORA_2] if number % 3 else AURORA_1
            user_id = EMMA if number % 2 else MARIA
            return [follow(Client(), altegio, salons, user_id=user_id).status_code for _ in range(3)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as people:
        answers = list(people.map(come, range(AT_ONCE)))
    assert answers == [[303] * 3] * AT_ONCE
    assert not undecided_without_call().exists()


def test_a_crowd_of_people_at_one_location() -> None:
    """Each person finds a claim that was not there when they began, and none is turned away for it."""
    application = Application.objects.get_or_create(altegio_id=1)[0]
    Location.objects.create(altegio_id=AURORA_1)
    people = [Person(number, "Emma", "", f"emma{number}@aurora.example", "") for number in range(1, 17)]
    visits = [partial(receive_signed, application, Redirect((AURORA_1,), None, "", person)) for person in people]
    assert {type(answer) for answer in at_once(*visits)} == {Arrival}
    assert Connection.objects.count() == len(people)


def test_several_of_the_staff_decide_for_rivals_at_one_location() -> None:
    """The first decision counts, and the others get an error."""
    application = Application.objects.get_or_create(altegio_id=1)[0]
    people = [Person(number, "Emma", "", f"emma{number}@aurora.example", "") for number in range(1, 13)]
    for person in people:
        receive_signed(application, Redirect((AURORA_1,), None, "", person))
    staff = User.objects.create_superuser("staff@partner.example")
    claims = Connection.objects.filter(state="conflict").order_by("pk")
    answers = at_once(*[partial(give_to_claimant, claim.pk, staff) for claim in claims])
    assert sorted(str(type(answer).__name__) for answer in answers) == ["NoneType", *["NotPossibleError"] * 11]
    assert Connection.objects.filter(state="granted").count() == 1
