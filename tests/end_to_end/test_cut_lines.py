"""Lines that are cut: Redis goes away under a worker, PostgreSQL ends what the web process keeps open."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from kombu import Connection

from chaos.servers import MissingServerError, Redis, find_redis
from tests.end_to_end.portal import PARTNER_TOKEN, Portal
from tests.not_none import not_none


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    try:
        find_redis()
    except MissingServerError as missing:
        pytest.skip(str(missing))
    server = Redis(tmp_path / "redis")
    yield server
    server.kill()


def test_a_message_in_hand_does_not_end_a_worker_that_lost_redis(own_redis: Redis) -> None:
    broker = Connection(own_redis.url, transport_options=settings.REDIS_TRANSPORT_OPTIONS)
    queue = broker.SimpleQueue("work")
    queue.put("something to do")
    message = queue.get(timeout=5)
    own_redis.kill()
    # As Celery's consumer does when it notices, while the task is still running.
    broker.collect()
    message.ack()
    not_none(message.channel).close()


@pytest.fixture
def cut_lines(portal: Portal) -> Callable[[], None]:
    """`cut_lines()` cuts every line to the database, as its restart does, and returns when all are gone."""
    if not portal.database.url.startswith("postgres"):
        pytest.skip("SQLite has no lines to cut: set DATABASE_URL to run this.")

    def cut() -> None:
        portal.database.query(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    return cut


def test_no_callback_is_lost_to_a_line_that_was_cut_before(portal: Portal, cut_lines: Callable[[], None]) -> None:
    body = {"salon_id": 10101, "application_id": 1, "event": "freeze", "partner_token": PARTNER_TOKEN}

    def tell() -> int:
        return portal.page("/altegio/callback/", method="POST", json=body).status_code

    assert [tell() for _ in range(20)] == [200] * 20, "every thread of the web process has a line"
    cut_lines()
    assert [tell() for _ in range(20)] == [200] * 20


def test_no_caller_of_the_api_sees_that_the_database_was_restarted(
    portal: Portal, cut_lines: Callable[[], None]
) -> None:
    def ask() -> int:
        return portal.page("/api/v1/connections/", headers={"Authorization": "Api-Key unknown.key"}).status_code

    assert [ask() for _ in range(20)] == [401] * 20
    cut_lines()
    assert [ask() for _ in range(20)] == [401] * 20
