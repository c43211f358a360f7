"""`manage.py migrate` beside a portal that works and a backup that reads every table."""

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db.backends.base.base import BaseDatabaseWrapper

from integrations.connections.models import Arrival
from partner_portal.core.management.commands import migrate

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(database.vendor != "postgresql", reason="Tables are locked on PostgreSQL alone."),
]


AFTER, BEFORE = "0014_expected_addresses", "0013_proven_owners"


@pytest.fixture
def without_a_column() -> Iterator[None]:
    """Undo the migrations since the one that added a column to a table of arrivals."""
    call_command("migrate", "connections", BEFORE, verbosity=0)
    yield
    call_command("migrate", verbosity=0)


@pytest.fixture
def backup(without_a_column: None) -> Iterator[BaseDatabaseWrapper]:
    """Read a table in a transaction that stays open, as pg_dump does with all tables."""
    line = database.copy()
    line.set_autocommit(False)
    with line.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {Arrival._meta.db_table} IN ACCESS SHARE MODE")
    yield line
    line.close()


def test_a_migration_waits_for_a_backup_and_nobody_for_the_migration(
    backup: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A change that waits for the lock of a table makes all who read or write the table wait behind it."""
    rests: list[float] = []

    def end_backup(seconds: float) -> None:
        rests.append(seconds)
        assert Arrival.objects.count() == 0
        backup.rollback()

    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", 200)
    monkeypatch.setattr("partner_portal.core.management.commands.migrate.time.sleep", end_backup)
    call_command("migrate", "connections", AFTER, verbosity=0)

    assert rests == [migrate.AGAIN_AFTER]
    assert "A table is in use" in capsys.readouterr().err
    with database.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_nobody_migrates_through_a_pooler(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it sets for its session would reach the portal by the pooler's next connection."""
    monkeypatch.setitem(database.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    with pytest.raises(CommandError, match="past it"):
        call_command("migrate", verbosity=0)
