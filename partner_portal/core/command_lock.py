"""Locks for commands that two hosts or terminals may start at once: one works, the others wait."""

import fcntl
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError
from django.db.backends.base.base import BaseDatabaseWrapper

MAX_WAIT = 30 * 60.0
EVERY = 0.5
Say = Callable[[str], object]


@contextmanager
def alone_on_database(connection: BaseDatabaseWrapper, work: str, folder: Path, say: Say) -> Iterator[None]:
    """Hold the lock for `work` on this database. Raises CommandError if it is not free within MAX_WAIT seconds.

    PostgreSQL is polled, because a session that waits inside one query would block CREATE INDEX CONCURRENTLY.
    """
    if connection.vendor != "postgresql":
        with alone_in_folder(folder, work, say):
            yield
        return
    # The lock has its own connection: the work ends transactions on the other one. Closing this one frees the lock.
    line = connection.copy()
    try:
        with line.cursor() as cursor:

            def take() -> bool:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [zlib.crc32(f"portal:{work}".encode())])
                return bool(cursor.fetchone()[0])

            _wait(take, work, say)
            yield
    finally:
        line.close()


@contextmanager
def alone_in_folder(folder: Path, work: str, say: Say) -> Iterator[None]:
    """Hold the lock for `work` in this folder. Raises CommandError if it is not free within MAX_WAIT seconds."""
    with (folder / f"{work}.lock").open("w") as lock:

        def take() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait(take, work, say)
        yield


def _wait(take: Callable[[], bool], work: str, say: Say) -> None:
    ends_at, has_said = time.monotonic() + MAX_WAIT, False
    while not take():
        if time.monotonic() > ends_at:
            raise CommandError(f"Another `{work}` has not ended for {MAX_WAIT / 60:.0f} minutes. Check that process.")
        if not has_said:
            say(f"Another `{work}` is running; this one waits until it ends.")
            has_said = True
        time.sleep(EVERY)
