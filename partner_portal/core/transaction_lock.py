"""A lock of the whole database for work that two transactions may not do at the same time."""

import zlib

from django.db import connection


def lock_work(work: str) -> None:
    """Wait until no other transaction does `work`, and keep the others waiting until this transaction ends.

    Call it before any row is locked. SQLite lets one transaction write at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [zlib.crc32(f"portal:{work}".encode())])
