"""Arrivals and Altegio's answers lock in one order, connections before locations: they never wait for each other."""

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.marketplace import AURORA_1, AURORA_2, arrive, follow

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Rows are locked on PostgreSQL alone."),
]
LOCKED = re.compile(r'FROM "integrations_(connection|location)".*FOR NO KEY UPDATE|UPDATE "integrations_(location)"')


def transactions(queries: CaptureQueriesContext) -> Iterator[list[str]]:
    """For each outermost transaction the tables whose rows it locked, each once, in order."""
    depth, locked = 0, []
    for query in queries.captured_queries:
        sql = query["sql"]
        depth += sql.startswith("SAVEPOINT") - sql.startswith("RELEASE")
        if match := LOCKED.search(sql):
            locked.append(match.group(1) or match.group(2))
        if depth == 0 and locked:
            yield list(dict.fromkeys(locked))
            locked = []


def test_an_arrival_at_what_is_connected(client, altegio, work):
    arrive(client, altegio, AURORA_1)
    work()
    with CaptureQueriesContext(connection) as queries:
        follow(client, altegio, AURORA_1)
    assert list(transactions(queries)) == [["connection", "location"]]


def test_altegios_yes_and_the_locations_data(client, altegio, work):
    arrive(client, altegio, [AURORA_1, AURORA_2])
    with CaptureQueriesContext(connection) as queries:
        work()
    found = list(transactions(queries))
    assert ["connection", "location"] in found
    assert ["location", "connection"] not in found
