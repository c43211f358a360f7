"""Rows that come together are stored each by itself where they have to be: one bad row does not spoil the others."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, transaction

log = structlog.get_logger(__name__)

Row = TypeVar("Row")


def store_each(rows: Sequence[Row], store: Callable[[Sequence[Row]], object]) -> int:
    """Store all `rows` at once, or, where that fails, in halves until a bad one stands alone; that one is left out.

    Returns how many were stored. A database that is away is raised, as it would be without this.
    """
    if not rows:
        return 0
    try:
        with transaction.atomic():
            store(rows)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(rows) == 1:
            log.exception("row_left_out", row=type(rows[0]).__name__, error=type(error).__name__)
            return 0
    else:
        return len(rows)
    middle = len(rows) // 2
    return store_each(rows[:middle], store) + store_each(rows[middle:], store)
