"""The servers that the bench needs, and a message for what is missing."""

import os
import sys
from urllib.parse import urlsplit

import psycopg
import redis

DATABASE_URL = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = "redis://127.0.0.1:6379/0"


def find_servers() -> None:
    """Set DATABASE_URL and REDIS_URL if they are not set. Exits with what is missing.

    The databases that they name are not touched: the bench makes its own beside them.
    """
    missing = [*_database(), *_broker()]
    if missing:
        sys.exit("\n".join(missing))


def _database() -> list[str]:
    url = os.environ.setdefault("DATABASE_URL", DATABASE_URL)
    if not url.startswith("postgres"):
        return ["DATABASE_URL must name a PostgreSQL server: the figures of SQLite say nothing of production."]
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return [f"PostgreSQL at {_place(url)} cannot be used ({error}). Start it, or set DATABASE_URL."]
    return []


def _broker() -> list[str]:
    url = os.environ.setdefault("REDIS_URL", REDIS_URL)
    try:
        redis.Redis.from_url(url, socket_connect_timeout=5).ping()
    except redis.RedisError as error:
        return [f"Redis at {_place(url)} cannot be used ({error}). Start it, or set REDIS_URL."]
    return []


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or ''}".rstrip(":")
