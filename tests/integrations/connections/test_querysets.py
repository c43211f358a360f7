"""The querysets find the connection that counts at an installation, and those that a rule names."""

from collections.abc import Sequence

import pytest
from django.utils import timezone

from integrations.connections.models import Application, Connection, Location, State

pytestmark = [pytest.mark.django_db, pytest.mark.leaves_stranded]  # bare rows, without their calls
ACTIVE, FROZEN, GRANTED = State.ACTIVE, State.FROZEN, State.GRANTED
UNINSTALLED, EXPIRED, FAILED, CONFLICT = State.UNINSTALLED, State.EXPIRED, State.FAILED, State.CONFLICT


def connections(states: Sequence[State], *, application: int = 1, salon: int = 10101) -> list[Connection]:
    """Make connections of one installation, oldest first."""
    offer, _made = Application.objects.get_or_create(altegio_id=application)
    location, _made = Location.objects.get_or_create(altegio_id=salon)
    times = dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at"), timezone.now())
    return [
        Connection.objects.create(application=offer, location=location, state=state, claim=f"u:{number}", **times)
        for number, state in enumerate(states)
    ]


@pytest.mark.parametrize(
    ("states", "current"),
    [
        ([ACTIVE, GRANTED, UNINSTALLED], 0),  # the live one, however old
        ([FROZEN, CONFLICT], 0),
        ([UNINSTALLED, GRANTED], 1),  # else the newest grant
        ([UNINSTALLED, EXPIRED], 1),
        ([UNINSTALLED, FAILED, CONFLICT], 0),  # which no refused or disputed claim hides
        ([FAILED, CONFLICT], 1),  # else the newest claim
        ([CONFLICT, FAILED], 1),
    ],
)
def test_one_connection_counts_at_an_installation(states: Sequence[State], current: int) -> None:
    here = connections(states)
    connections([ACTIVE], salon=10102)
    assert Connection.objects.same_place(here[0]).current() == here[current]
    assert Connection.objects.at_altegio(1, 10101).current() == here[current]


def test_no_connection_counts_at_an_empty_installation() -> None:
    assert Connection.objects.at_altegio(1, 10101).current() is None


@pytest.mark.parametrize(
    ("states", "ended", "successors"),
    [
        ([ACTIVE, UNINSTALLED], 1, [0]),  # one that is alive, however old
        ([UNINSTALLED, GRANTED], 0, [1]),  # a later grant
        ([UNINSTALLED, FAILED, CONFLICT], 0, []),  # no refused or disputed claim
        ([UNINSTALLED, FAILED], 1, []),  # no older grant, though it ranks before
    ],
)
def test_the_successor_of_an_ended_connection_is_found(
    states: Sequence[State], ended: int, successors: list[int]
) -> None:
    here = connections(states)
    assert list(Connection.objects.successors(here[ended])) == [here[number] for number in successors]


def test_each_state_is_in_its_group_alone() -> None:
    for salon, state in enumerate(State, 10101):
        connections([state], salon=salon)
    assert {each.state for each in Connection.objects.live()} == {ACTIVE, FROZEN}
    assert {each.state for each in Connection.objects.undecided()} == {GRANTED, CONFLICT}
    assert {each.state for each in Connection.objects.not_ended()} == {ACTIVE, FROZEN, GRANTED, CONFLICT}


def test_an_installation_is_an_application_and_a_location() -> None:
    one, other = connections([UNINSTALLED, ACTIVE])
    connections([ACTIVE], application=2)
    connections([ACTIVE], salon=10102)
    assert set(Connection.objects.same_place(one)) == {one, other}
    assert list(Connection.objects.beside(one)) == [other]
    assert set(Connection.objects.at(one.application, one.location)) == {one, other}
