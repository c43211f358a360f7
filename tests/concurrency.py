"""Helpers that run several workers or systems at once in threads, and wait for one that waits for a lock."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

from django.db import connection, connections, transaction


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run the functions in threads that start together; return their results or the errors they raised."""
    gate, results = threading.Barrier(len(works)), list[Any]()

    def run(work: Callable[[], Any]) -> None:
        gate.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def waits_for_a_lock() -> bool:
    """Return whether somebody in this database waits for a lock. It works on PostgreSQL only."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks waiting JOIN pg_locks own USING (pid) JOIN pg_database ON oid = own.database "
            "WHERE NOT waiting.granted AND datname = current_database()"
        )
        return cursor.fetchone() is not None


def wait_for_the_other() -> None:
    """Wait until somebody waits for a lock."""
    ends_at = monotonic() + 20
    while not waits_for_a_lock():
        assert monotonic() < ends_at


def cross(do: Callable[[], Any], *, first: Callable[[], Any], then: Callable[[], Any]) -> Any:
    """Run `do` beside a transaction that locks `first` before it, and run `then` while `do` waits; return its result.

    If `do` already holds what `then` locks, they wait for each other, and one of them fails.
    """

    def run() -> Any:
        try:
            return do()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            first()
            done = thread.submit(run)
            wait_for_the_other()
            then()
        return done.result(timeout=20)
