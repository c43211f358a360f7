"""Retry of a transaction that lost a race with another one; the retry sees what the other one wrote."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction

P = ParamSpec("P")
R = TypeVar("R")
# Seconds. Each lost race means that another transaction committed, so all get their turn: a time limit suffices.
PATIENCE = 10.0
PAUSE = 0.02  # seconds, at most; random, so that retries do not collide again
DEADLOCK = "40P01"  # PostgreSQL's code


class OvertakenError(Exception):
    """Raised when the data that this transaction read has changed, because another transaction was first."""


def again_when_overtaken(do: Callable[P, R]) -> Callable[P, R]:
    """Run `do` in a transaction, and retry it from its beginning whenever another one overtook it.

    The last error (OvertakenError, IntegrityError or a deadlock) is raised after `PATIENCE` seconds.
    """

    @wraps(do)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        ends_at = time.monotonic() + PATIENCE
        while True:
            try:
                with transaction.atomic():
                    return do(*args, **kwargs)
            except (OvertakenError, IntegrityError, OperationalError) as error:
                if time.monotonic() >= ends_at or not _is_overtaken(error):
                    raise
            time.sleep(random.uniform(0, PAUSE))  # noqa: S311 - no secret

    return run


def _is_overtaken(error: Exception) -> bool:
    # An IntegrityError usually means that another transaction stored the same unique value first.
    return not isinstance(error, OperationalError) or getattr(error.__cause__, "sqlstate", "") == DEADLOCK
