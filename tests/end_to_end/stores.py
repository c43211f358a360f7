"""A database and a broker that belong to one portal of the tests: SQLite and a folder, or PostgreSQL and Redis.

`DATABASE_URL` and `REDIS_URL` choose, as for the whole suite; what they name is not touched: a database is
made beside it and dropped, and a free Redis database number is taken and emptied.
"""

import os
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

Rows = list[tuple[Any, ...]]
# What a portal does while it carries a call is written to these.
CALL_TABLES = ("outbox_outgoingcall", "outbox_attempt", "outbox_ratebudget")


class Database(Protocol):
    url: str

    def query(self, sql: str) -> Rows:
        """The rows of a SELECT, or none after a change, which is committed."""

    def locked(self) -> Any:
        """A context in which nobody else can write down what became of a call."""

    def dump(self) -> str:
        """Every column of every row of every table, as text."""

    def drop(self) -> None:
        """Leave nothing behind."""


class SQLiteFile:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "portal.sqlite3"
        self.url = f"sqlite:///{self._path}"

    def query(self, sql: str) -> Rows:
        with self._connection() as connection:
            return connection.execute(sql).fetchall()

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.rollback()

    def dump(self) -> str:
        tables = self.query("SELECT name FROM sqlite_master WHERE type = 'table'")
        return "\n".join(f"{name}: {row}" for (name,) in tables for row in self.query(f'SELECT * FROM "{name}"'))

    def drop(self) -> None:
        """The folder goes with the test."""

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()


class PostgresDatabase:
    def __init__(self, server: str) -> None:
        self._server = server
        self._name = f"portal_processes_{uuid.uuid4().hex[:12]}"
        self.url = urlunsplit(urlsplit(server)._replace(path=f"/{self._name}"))
        self._on(server, f'CREATE DATABASE "{self._name}"')

    def query(self, sql: str) -> Rows:
        return self._on(self.url, sql)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with psycopg.connect(self.url) as connection:
            connection.execute(f"LOCK TABLE {', '.join(CALL_TABLES)} IN EXCLUSIVE MODE")
            yield
            connection.rollback()

    def dump(self) -> str:
        tables = self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return "\n".join(
            f"{name}: {row}" for (name,) in tables for (row,) in self.query(f'SELECT t::text FROM "{name}" t')
        )

    def keep_as_template(self) -> None:
        """What is in it now is what `renew` goes back to."""
        self._on(self._server, f'DROP DATABASE IF EXISTS "{self._name}_first"')
        self._on(self._server, f'CREATE DATABASE "{self._name}_first" TEMPLATE "{self._name}"')

    def renew(self) -> None:
        """Back to what was kept; whoever is connected loses the line."""
        self.drop()
        self._on(self._server, f'CREATE DATABASE "{self._name}" TEMPLATE "{self._name}_first"')

    def drop(self) -> None:
        self._on(self._server, f'DROP DATABASE "{self._name}" WITH (FORCE)')

    @staticmethod
    def _on(url: str, sql: str) -> Rows:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


class Broker(Protocol):
    environment: dict[str, str]

    def empty(self) -> None:
        """Every message, and all else that the broker remembers, is gone."""

    def drop(self) -> None:
        """Leave nothing behind."""


class FolderBroker:
    def __init__(self, folder: Path) -> None:
        self._folder = folder / "broker"
        self.environment = {"EMBEDDED_BROKER_DIR": str(self._folder)}

    def empty(self) -> None:
        for message in (self._folder / "messages").glob("*"):
            message.unlink(missing_ok=True)

    def drop(self) -> None:
        """The folder goes with the test."""


class RedisBroker:
    def __init__(self, server: str) -> None:
        for number in range(15, 0, -1):
            self.url = urlunsplit(urlsplit(server)._replace(path=f"/{number}"))
            self._client = redis.Redis.from_url(self.url)
            if self._client.set("taken-by-a-test", 1, nx=True, ex=600) and self._client.dbsize() == 1:
                break
        else:
            raise RuntimeError("Every database of this Redis server is in use.")
        self.environment = {"REDIS_URL": self.url}

    def empty(self) -> None:
        self._client.flushdb()

    def drop(self) -> None:
        self._client.flushdb()
        self._client.close()


def make_database(folder: Path, stores: Mapping[str, str] = os.environ) -> Database:
    server = stores.get("DATABASE_URL", "")
    return PostgresDatabase(server) if server.startswith("postgres") else SQLiteFile(folder)


def make_broker(folder: Path, stores: Mapping[str, str] = os.environ) -> Broker:
    server = stores.get("REDIS_URL", "")
    return RedisBroker(server) if server else FolderBroker(folder)
