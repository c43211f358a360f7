"""PostgreSQL plans frequent statements once for each connection, and a change of the tables breaks
them only briefly.
"""

import os
import subprocess
import sys

import pytest
from django.db import OperationalError, transaction
from django.db import connection as database

from integrations.connections.models import Location
from partner_portal.core.fast_query import Query, Rows
from partner_portal.core.prepared import execute, fetch_all
from tests.core.complete_settings import COMPLETE, ROOT

on_postgresql = pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite prepares no statements.")
TITLE = "SELECT title FROM connections_location WHERE altegio_id = %s"
OFTEN = 10


@pytest.fixture
def location(transactional_db: None) -> Location:
    return Location.objects.create(altegio_id=1, title="Salon")


def planned() -> list[str]:
    """Return the statements prepared on this connection, as PostgreSQL reports them."""
    with database.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def assert_title_is_read_often() -> None:
    for _ in range(OFTEN):
        assert fetch_all(TITLE, [1]) == [("Salon",)]


def migrate(length: int) -> None:
    """Give the column another length, as a migration in another process does."""
    other = database.copy()
    with other.cursor() as cursor:
        cursor.execute(f"ALTER TABLE connections_location ALTER title TYPE varchar({length})")
    other.close()


@on_postgresql
def test_a_frequent_statement_is_planned_once(location: Location) -> None:
    numbered = Rows[Location](lambda number: Location.objects.filter(altegio_id=number))
    for _ in range(OFTEN):
        assert numbered(1) == [location]
    assert len(planned()) == 1


@on_postgresql
def test_a_statement_to_be_replanned_is_not_prepared(location: Location) -> None:
    titles = Query(lambda number: Location.objects.filter(altegio_id=number).values_list("title"), prepare=False)
    for _ in range(OFTEN):
        assert titles(1) == ("Salon",)
    assert planned() == []


@on_postgresql
def test_a_migration_is_not_noticed_between_two_transactions(location: Location) -> None:
    assert_title_is_read_often()
    migrate(301)
    try:
        assert_title_is_read_often()
    finally:
        migrate(300)


@on_postgresql
def test_a_migration_during_the_day_costs_a_transaction_once(location: Location) -> None:
    assert_title_is_read_often()
    migrate(301)
    try:
        with pytest.raises(OperationalError, match="The schema has changed"), transaction.atomic():
            fetch_all(TITLE, [1])
        with transaction.atomic():
            assert_title_is_read_often()
    finally:
        migrate(300)


def test_a_statement_that_only_writes_returns_nothing(location: Location) -> None:
    execute("UPDATE connections_location SET title = %s WHERE altegio_id = %s", ["Studio", 1])
    assert fetch_all(TITLE, [1]) == [("Studio",)]


@on_postgresql
def test_a_statement_may_hold_more_values_than_postgresql_takes_beside_it(location: Location) -> None:
    numbers = range(1, 66_000)
    places = ", ".join(["%s"] * len(numbers))
    assert fetch_all(TITLE.replace("= %s", f"IN ({places})"), list(numbers)) == [("Salon",)]


@pytest.mark.parametrize(("address", "threshold"), [("", "5"), ("?DISABLE_SERVER_SIDE_CURSORS=True", "None")])
def test_behind_a_pooler_nothing_is_planned_beforehand(address: str, threshold: str) -> None:
    words = (
        "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'].get('prepare_threshold'))"
    )
    environment = {
        **COMPLETE,
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "partner_portal.settings",
        "ENV_FILE": os.devnull,
        "DATABASE_URL": f"postgres://portal@pgbouncer:6432/portal{address}",
    }
    run = subprocess.run(
        [sys.executable, "-c", words], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == threshold
