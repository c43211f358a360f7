"""Databases with many connections. Each is filled once, and reused by later runs."""

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import time_machine
from django.core.cache import cache
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from billing.figures.months import count_due_months
from integrations.backoffice.dashboard.days import sum_ended_days
from integrations.connections.models import Application

SQL = Path(__file__).with_suffix(".sql")
# The indexes are created once the tables are full, which takes a fraction of the time. Those of constraints stay.
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = 'public'::regnamespace AND NOT indisunique
"""


@dataclass(frozen=True)
class Filled:
    """A database with `count` connections as of `moment`; while it is used, time starts there."""

    count: int
    moment: datetime
    database: BaseDatabaseWrapper

    @contextmanager
    def used(self) -> Iterator[None]:
        """Make this Django's database for the block, with a cache that holds nothing of another."""
        connections[DEFAULT_DB_ALIAS] = self.database
        cache.key_prefix = f"bench-{self.count}"
        with time_machine.travel(self.moment, tick=True):
            yield


def filled(count: int) -> Filled:
    """Return the database with so many connections. It is filled first, if none is there that fits this program."""
    name = f"{urlsplit(os.environ['DATABASE_URL']).path[1:]}_lists_{count}"
    # By noon a day has had arrivals, whatever the time is now.
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    moment = _moment_of(name)
    made = Filled(count, moment or noon, _database(name))
    if moment is None:
        _make(name)
        with made.used():
            _fill(made)
        _remember(name, made.moment)
    return made


def _database(name: str) -> BaseDatabaseWrapper:
    database = connections.create_connection(DEFAULT_DB_ALIAS)
    database.settings_dict = {**database.settings_dict, "NAME": name}
    return database


def _moment_of(name: str) -> datetime | None:
    """Return when the database was filled, or None if that was not by this very program."""
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with psycopg.connect(os.environ["DATABASE_URL"]) as server:
        row = server.execute(query, [name]).fetchone()
    digest, _, moment = (row[0] or "").partition(" ") if row else ("", "", "")
    return datetime.fromisoformat(moment) if digest == _digest() else None


def _remember(name: str, moment: datetime) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as server:
        note = f"{_digest()} {moment.isoformat()}"
        server.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(note)))


def _digest() -> str:
    """Return a digest of all that decides what the database holds: the tables and their filling."""
    migrations = sorted(map(str, MigrationLoader(None).disk_migrations))
    return hashlib.sha256(f"{migrations}{SQL.read_text()}".encode()).hexdigest()[:16]


def _make(name: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _fill(made: Filled) -> None:
    began = time.monotonic()
    call_command("migrate", verbosity=0)
    sms, telephony = (Application.objects.get_or_create(altegio_id=number)[0].pk for number in (1, 2))
    with connection.cursor() as cursor:
        # The rows are correct by construction: their keys need no check, and commits need not wait for the disk.
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
        for name, _made in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(SQL.read_text(), {"count": made.count, "now": made.moment, "sms": sms, "telephony": telephony})
        for _name, statement in indexes:
            cursor.execute(statement)
        cursor.execute("RESET session_replication_role")
        cursor.execute("VACUUM ANALYZE")
    sum_ended_days()
    count_due_months()
    print(f"filled {made.count:,} connections in {time.monotonic() - began:.0f} s", file=sys.stderr)
