"""Many locations: two workers share them and the call limits; a chain of 1,500 arrives in one address."""

from sandbox import Sandbox
from tests.end_to_end.conftest import Arrive
from tests.end_to_end.portal import PER_MINUTE, PER_SECOND, Portal, activations, once, wait_for


def test_two_workers_activate_each_location_once_and_keep_to_the_limits(
    portal: Portal, altegio: Sandbox, arrive: Arrive
) -> None:
    altegio.configure(requests_per_second=PER_SECOND, requests_per_minute=PER_MINUTE)
    portal.start_beat()
    portal.start_worker()
    portal.start_worker()
    page, locations = arrive(60)
    portal.wait_until_active(page)

    assert activations(altegio, locations) == once(locations)
    assert altegio.busiest_second() <= PER_SECOND
    assert altegio.busiest_minute() <= PER_MINUTE
    assert [call.code for call in altegio.requests() if call.code == 429] == []


def test_a_chain_of_1500_locations_in_one_address(portal: Portal, altegio: Sandbox, arrive: Arrive) -> None:
    page, locations = arrive(1500)
    assert len(portal.state_of(page)["locations"]) == 1500

    portal.start_worker("-B", ALTEGIO_REQUESTS_PER_SECOND="1000", ALTEGIO_REQUESTS_PER_MINUTE="60000")
    wait_for(
        lambda: sum(activations(altegio, locations).values()) >= 100, "the first hundred are accepted", timeout=120
    )
    assert set(activations(altegio, locations).values()) == {0, 1}
