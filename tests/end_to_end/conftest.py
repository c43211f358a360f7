"""One portal for all of these tests: its web process runs, each test starts the workers it needs."""

from collections.abc import Callable, Iterator

import pytest

from sandbox import Sandbox
from tests.end_to_end.portal import PARTNER_TOKEN, Portal

HERE = "tests/end_to_end/"
EMMA = 9001


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They measure time and kill what they started: never two at once."""
    for item in items:
        if item.nodeid.startswith(HERE):
            item.add_marker(pytest.mark.processes)
            item.add_marker(pytest.mark.xdist_group("processes"))


@pytest.fixture(scope="package")
def shared_altegio() -> Iterator[Sandbox]:
    with Sandbox(partner_token=PARTNER_TOKEN) as sandbox:
        yield sandbox


@pytest.fixture(scope="package")
def shared_portal(shared_altegio: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    portal = Portal(tmp_path_factory.mktemp("portal"), shared_altegio.app_url)
    shared_altegio.portal_url = portal.url
    try:
        portal.prepare()
        yield portal
    finally:
        portal.close()


@pytest.fixture
def altegio(shared_altegio: Sandbox) -> Iterator[Sandbox]:
    """Altegio without a bad day and with an empty log; nobody else's locations are touched."""
    shared_altegio.configure(requests_per_second=None, requests_per_minute=None)
    shared_altegio.clear_faults()
    shared_altegio.clear_requests()
    yield shared_altegio
    shared_altegio.clear_faults()


@pytest.fixture
def portal(shared_portal: Portal, altegio: Sandbox) -> Iterator[Portal]:
    """The portal with its web process and no worker."""
    shared_portal.forget_calls()
    shared_portal.ensure_web()
    yield shared_portal
    shared_portal.stop_workers()


Arrive = Callable[..., tuple[str, list[int]]]


@pytest.fixture
def arrive(portal: Portal, altegio: Sandbox) -> Arrive:
    """`arrive(3)`: an owner connects three new locations; the status page's address and the locations."""

    def run(count: int = 1) -> tuple[str, list[int]]:
        _chain, locations = altegio.add_chain(count)
        altegio.grant(locations, user_id=EMMA)
        answer = portal.page(altegio.arrival_url(locations, user_id=EMMA))
        assert answer.status_code == 303
        return portal.url + answer.headers["Location"], locations

    return run
