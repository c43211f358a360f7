"""Arrivals and Altegio's answers lock connections before locations, so they never deadlock."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.erasure import erase_person
from accounts.models import User
from integrations.connections.models import Arrival
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive, follow
from tests.working import Work

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone."),
]
LOCKED = re.compile(r'FROM "connections_(connection|location)".*FOR NO KEY UPDATE|UPDATE "connections_(location)"')


def transactions(queries: CaptureQueriesContext) -> Iterator[list[str]]:
    """Return, for each outermost transaction, the tables whose rows it locked, each once, in order."""
    depth, locked = 0, []
    for query in queries.captured_queries:
        sql = query["sql"]
        depth += sql.startswith("SAVEPOINT") - sql.startswith("RELEASE")
        if match := LOCKED.search(sql):
            locked.append(match.group(1) or match.group(2))
        if depth == 0 and locked:
            yield list(dict.fromkeys(locked))
            locked = []


def test_an_arrival_at_a_connected_location_locks_in_order(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    with CaptureQueriesContext(connection) as queries:
        follow(client, altegio, AURORA_1)
    assert list(transactions(queries)) == [["connection", "location"]]


def test_the_acceptance_and_the_location_data_lock_in_order(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    with CaptureQueriesContext(connection) as queries:
        work()
    found = list(transactions(queries))
    assert ["connection", "location"] in found
    assert ["location", "connection"] not in found


def test_an_erasure_during_arrivals_locks_in_order(client: Client, altegio: Sandbox, work: Work) -> None:
    """Many rows are locked in the order of their keys first: a plain update locks them in any order."""
    arrive(client, altegio, [AURORA_1, AURORA_2])
    work()
    with CaptureQueriesContext(connection) as queries:
        erase_person(User.objects.get())
    asked = [query["sql"] for query in queries.captured_queries if '"connections_connection"' in query["sql"]]
    held = [number for number, sql in enumerate(asked) if "FOR NO KEY UPDATE" in sql and '"claimant_id" =' in sql]
    changed = [number for number, sql in enumerate(asked) if sql.startswith("UPDATE") and '"visitor" =' in sql]
    assert held
    assert changed
    assert max(held) < min(changed)
    assert all('"owner_id" =' not in asked[number].split("WHERE")[1] for number in changed), "by their keys alone"


@pytest.mark.django_db(transaction=True)
def test_a_visit_does_not_wait_for_a_sign_in_on_the_earlier_arrival(altegio: Sandbox) -> None:
    """The sign-in holds the arrival and wants the connections that the visit holds."""
    arrive(Client(), altegio, AURORA_1)

    def visits() -> int:
        try:
            return int(follow(Client(), altegio, AURORA_1).status_code)
        finally:
            connections.close_all()

    with transaction.atomic():
        Arrival.objects.select_for_update(no_key=True).get()
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(visits).result(timeout=20) == 303
