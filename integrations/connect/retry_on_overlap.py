"""Two who claim the same at the same moment: one of them begins again, and finds what the other has done."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction

P = ParamSpec("P")
R = TypeVar("R")
TRIES = 5
DEADLOCK = "40P01"  # PostgreSQL's code


class ClaimOverlapError(Exception):
    """While this transaction waited for a location, somebody claimed it: their connection is not locked here."""


def again_when_overtaken(do: Callable[P, R]) -> Callable[P, R]:
    """`do` in a transaction, once more from its beginning where another one came between."""

    @wraps(do)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(TRIES - 1):
            try:
                with transaction.atomic():
                    return do(*args, **kwargs)
            except (ClaimOverlapError, IntegrityError):
                continue
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
                    raise
        with transaction.atomic():
            return do(*args, **kwargs)

    return run
