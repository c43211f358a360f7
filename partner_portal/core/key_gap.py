"""A gap before the keys of new rows, so that a restored database gives none out a second time.

What was made since the backup is lost, and its keys live on outside: in tokens, links, the partner's own systems and
whatever reads a feed on from a key.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from partner_portal.core.feed import move_feeds_on

# More than any table gets between two backups.
GAP = 1_000_000
_POSTGRESQL = """
    SELECT setval(own.counter, greatest(nextval(own.counter), (SELECT max({column}) FROM {table})) + %s)
    FROM (SELECT pg_get_serial_sequence(%s, %s)::regclass AS counter) AS own
"""


def leave_gap() -> int:
    """Move on by GAP what gives keys to new rows of each model, and the end of each feed. Returns how many models.

    PostgreSQL undoes no move where the transaction fails: it may be done again, and leaves another gap.
    """
    models = list(_counting_models())
    move_on = _move_on_postgresql if connection.vendor == "postgresql" else _move_on_sqlite
    with connection.cursor() as cursor:
        for model in models:
            move_on(cursor, model)
    move_feeds_on(GAP)
    return len(models)


def _counting_models() -> Iterator[type[Model]]:
    """Yield the models whose keys the database counts, those behind a many-to-many among them."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.auto_field is not None and model._meta.managed and not model._meta.proxy:
            yield model


def _move_on_postgresql(cursor: CursorWrapper, model: type[Model]) -> None:
    table = connection.ops.quote_name(model._meta.db_table)
    column = model._meta.pk.db_column or model._meta.pk.attname
    statement = _POSTGRESQL.format(table=table, column=connection.ops.quote_name(column))
    cursor.execute(statement, [GAP, table, column])


def _move_on_sqlite(cursor: CursorWrapper, model: type[Model]) -> None:
    """SQLite counts in a table of its own, which knows none that never held a row."""
    table = model._meta.db_table
    cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [GAP, table])
    if not cursor.rowcount:
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, GAP])
