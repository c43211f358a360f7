"""Several hosts: nothing that a web or worker process needs lies in its own working folder."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sandbox import Sandbox
from tests.end_to_end.conftest import EMMA
from tests.end_to_end.portal import PER_MINUTE, PER_SECOND, Portal, activations, once, wait_for

pytestmark = pytest.mark.skipif(
    not (os.environ.get("DATABASE_URL", "").startswith("postgres") and os.environ.get("REDIS_URL")),
    reason="Hosts share a PostgreSQL and a Redis: set DATABASE_URL and REDIS_URL to run this.",
)


@pytest.fixture
def hosts(portal: Portal, tmp_path: Path) -> Iterator[tuple[Portal, Portal]]:
    """Two hosts of one portal, each with its web process and its worker; beat runs on the first."""
    other = portal.another_host(tmp_path / "other")
    try:
        other.start_web()
        yield portal, other
    finally:
        other.leave()


def is_ready(host: Portal) -> bool:
    return host.page("/readyz/").ok


def start_workers(one: Portal, other: Portal) -> None:
    one.start_beat()
    one.start_worker()
    other.start_worker()


def arrive_at(host: Portal, altegio: Sandbox, count: int) -> tuple[str, list[int]]:
    """An owner whose browser reaches this host: the status page's path, and the locations."""
    _chain, locations = altegio.add_chain(count)
    altegio.grant(locations, user_id=EMMA)
    address = altegio.arrival_url(locations, user_id=EMMA)
    answer = host.page(address[address.index("/connect/") :])
    assert answer.status_code == 303
    return answer.headers["Location"], locations


def test_two_hosts_share_the_work_the_pages_and_the_call_limits(
    hosts: tuple[Portal, Portal], altegio: Sandbox
) -> None:
    one, other = hosts
    altegio.configure(requests_per_second=PER_SECOND, requests_per_minute=PER_MINUTE)
    start_workers(one, other)
    for host in hosts:
        wait_for(partial(is_ready, host), "each host is ready")
    mine, first = arrive_at(one, altegio, 40)
    theirs, second = arrive_at(other, altegio, 40)

    # Each page is looked at on the host that did not take the arrival in.
    other.wait_until_active(other.url + mine)
    one.wait_until_active(one.url + theirs)
    assert activations(altegio, first + second) == once(first + second)
    assert altegio.busiest_second() <= PER_SECOND
    assert altegio.busiest_minute() <= PER_MINUTE
    assert [call.code for call in altegio.requests() if call.code == 429] == []
    assert min(host.logs().count("altegio_answered") for host in hosts) > 5, "both workers carried calls"


def test_a_host_that_is_lost_loses_no_call(hosts: tuple[Portal, Portal], altegio: Sandbox) -> None:
    one, other = hosts
    start_workers(one, other)
    page, locations = arrive_at(other, altegio, 60)
    wait_for(lambda: sum(activations(altegio, locations).values()) >= 10, "the first calls have been made")
    other.stop()

    one.wait_until_active(one.url + page, timeout=60)
    assert activations(altegio, locations) == once(locations)
