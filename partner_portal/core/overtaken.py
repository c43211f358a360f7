"""Two who change the same at the same moment: who was overtaken begins again, and finds what the other did."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction

P = ParamSpec("P")
R = TypeVar("R")
# Seconds. Whoever overtakes is through, so of any number at once each has its turn: time ends this, and no count.
PATIENCE = 10.0
PAUSE = 0.02  # seconds, at most: those who begin again do not come together again
DEADLOCK = "40P01"  # PostgreSQL's code


class OvertakenError(Exception):
    """What this transaction has found is not what it holds now: somebody else was first."""


def again_when_overtaken(do: Callable[P, R]) -> Callable[P, R]:
    """`do` in a transaction, once more from its beginning where another one came between.

    What overtook it is raised once `PATIENCE` is over.
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
    return not isinstance(error, OperationalError) or getattr(error.__cause__, "sqlstate", "") == DEADLOCK
