"""A worker dies by `kill -9` at the worst moments; another one finishes its work, and nothing happens twice.

The victims die one after the other; then one worker takes up what they left, for all tests here.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from sandbox import Sandbox
from sandbox.journal import LoggedCall
from tests.end_to_end.conftest import EMMA
from tests.end_to_end.portal import Portal, activations, once, wait_for

Location = int


@contextmanager
def deaf_altegio() -> Iterator[str]:
    """The address of a host that takes a connection and never reads from it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def activation_that(altegio: Sandbox, location: Location, condition: Callable[[LoggedCall], bool]) -> bool:
    return any(condition(call) for call in altegio.requests("activate", location))


def kill_before_the_send(portal: Portal, altegio: Sandbox, location: Location) -> None:
    with deaf_altegio() as address:
        victim = portal.start_worker(ALTEGIO_APP_URL=address)
        wait_for(lambda: portal.calls("state = 'sending' AND lease_until IS NOT NULL"), "the worker holds the call")
        victim.kill()
    assert not altegio.requests("activate", location)


def kill_before_altegio_acts(portal: Portal, altegio: Sandbox, location: Location) -> None:
    """Altegio has got the call, and does what it asks only after the worker is gone."""
    altegio.fault("delay", "activate", seconds=1.5, location_id=location)
    victim = portal.start_worker()
    arrived = partial(activation_that, altegio, location, lambda call: True)
    acted = partial(activation_that, altegio, location, lambda call: call.processed)
    wait_for(arrived, "the call has arrived")
    victim.kill()
    assert not acted()
    wait_for(acted, "Altegio has acted")


def kill_before_the_answer(portal: Portal, altegio: Sandbox, location: Location) -> None:
    altegio.fault("delay_after", "activate", seconds=5, location_id=location)
    victim = portal.start_worker()
    acted = partial(activation_that, altegio, location, lambda call: call.processed)
    wait_for(acted, "Altegio has accepted")
    victim.kill()


def kill_before_the_answer_is_stored(portal: Portal, altegio: Sandbox, location: Location) -> None:
    altegio.fault("delay_after", "activate", seconds=0.5, location_id=location)
    victim = portal.start_worker()
    acted = partial(activation_that, altegio, location, lambda call: call.processed)
    answered = partial(activation_that, altegio, location, lambda call: call.code == 201)
    wait_for(acted, "Altegio has accepted")
    with portal.database.locked():
        wait_for(answered, "Altegio has answered")
        victim.kill()


MOMENTS = {
    "before the send": kill_before_the_send,
    "before Altegio acts": kill_before_altegio_acts,
    "before the answer": kill_before_the_answer,
    "before the answer is stored": kill_before_the_answer_is_stored,
}


@pytest.fixture(scope="module")
def rescued(shared_portal: Portal, shared_altegio: Sandbox) -> Iterator[dict[str, tuple[str, Location]]]:
    """For each moment the status page and the location; the worker that takes them up is running."""
    portal, altegio = shared_portal, shared_altegio
    portal.forget_calls()
    portal.ensure_web()
    arrivals = {}
    for moment, kill in MOMENTS.items():
        _chain, (location,) = altegio.add_chain(1)
        altegio.grant(location, user_id=EMMA)
        answer = portal.page(altegio.arrival_url(location, user_id=EMMA))
        arrivals[moment] = portal.url + answer.headers["Location"], location
        kill(portal, altegio, location)
        assert portal.calls("state = 'sending'") == len(arrivals), f"it must die with the call in hand: {moment}"
    altegio.clear_faults()
    portal.start_worker("-B")
    yield arrivals
    portal.stop_workers()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_call_in_the_hands_of_a_dead_worker_is_finished_once(
    rescued: dict[str, tuple[str, Location]], shared_portal: Portal, shared_altegio: Sandbox, moment: str
) -> None:
    page, location = rescued[moment]
    shared_portal.wait_until_active(page)
    assert activations(shared_altegio, [location]) == once([location])
