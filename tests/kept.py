"""Helpers that read everything the portal has stored: every column of every table, and the lines of its log."""

import logging
import re

import structlog
from django.apps import apps
from django.db import connection


def everything_stored() -> str:
    """Return every column of every table, as the database holds it."""
    rows = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            rows += [str(row) for row in cursor.fetchall()]
    return "\n".join(rows)


def stands_in(stored: str, trace: str) -> bool:
    """Return whether the trace is stored as a word; a number's digits may be part of any key or time."""
    return re.search(rf"(?<!\w){re.escape(trace)}(?!\w)", stored, re.IGNORECASE) is not None


def as_written(records: list[logging.LogRecord]) -> str:
    """Return the log lines as the product's own formatter writes them."""
    [formatter] = {
        handler.formatter
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    }
    return "\n".join(formatter.format(record) for record in records)
