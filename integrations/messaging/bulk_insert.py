"""Bulk inserts of message statuses and requested messages."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction

from integrations.messaging.message_senders import TAKEN_IN, Place, current_connection
from integrations.messaging.models import MessageStatus, StatusBatch
from integrations.messaging.relay_batches import measure
from partner_portal.core.many_values import as_array
from partner_portal.core.prepared import fetch_all


class StatusRow(NamedTuple):
    """The columns of a status, before its batch is stored."""

    batch: int  # the number of its batch in the report, from 1
    address_id: int
    message_id: str
    id_is_number: bool
    status: int
    payment_sum: Decimal | None = None
    currency_iso: str = ""
    parts_amount: int | None = None
    location_id: int | None = None
    requested_message_id: int | None = None


# The ids follow the order of the rows. The rows are written, and stay locked until the transaction ends, in a fixed
# order, which prevents deadlocks between two reports about the same messages.
_INSERT = """
    WITH stored AS (
        INSERT INTO messaging_messagestatus (
            id, batch_id, address_id, message_id, id_is_number, status, payment_sum, currency_iso, parts_amount,
            location_id, requested_message_id
        )
        SELECT id, (%s::bigint[])[batch], address_id, message_id, id_is_number, status, payment_sum, currency_iso,
            parts_amount, location_id, requested_message_id
        FROM (
            SELECT nextval('messaging_messagestatus_id_seq') AS id, told.*
            FROM unnest(
                %s::integer[], %s::bigint[], %s::text[], %s::boolean[], %s::smallint[], %s::numeric[], %s::text[],
                %s::smallint[], %s::bigint[], %s::bigint[]
            ) AS told(
                batch, address_id, message_id, id_is_number, status, payment_sum, currency_iso, parts_amount,
                location_id, requested_message_id
            )
        ) AS numbered
        ORDER BY message_id COLLATE "C", status, address_id
        ON CONFLICT (message_id, status, address_id) DO NOTHING
        RETURNING batch_id, id
    ),
    held AS (SELECT batch_id, count(*) AS size, min(id) AS first_id FROM stored GROUP BY batch_id)
    UPDATE messaging_statusbatch AS batch SET size = held.size, first_id = held.first_id
    FROM held WHERE batch.id = held.batch_id
    RETURNING batch.id, batch.size
"""

# The connection is looked up in the same statement, so that its state at this very moment decides.
_INSERT_MESSAGES = """
    INSERT INTO messaging_requestedmessage (
        connection_id, send_id, id_is_number, phone, text, callback, sender_name, channel, category, received_at,
        state
    )
    SELECT sender.pk, asked.column1, asked.column2, asked.column3, asked.column4, asked.column5, asked.column6,
        asked.column7, asked.column8, asked.column9, 'requested'
    FROM ({sender}) AS sender CROSS JOIN (VALUES {rows}) AS asked
    WHERE sender.application__takes_messages AND sender.state IN ({states})
    ON CONFLICT DO NOTHING
    RETURNING send_id, id
"""
_MESSAGE = "(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_STATES = ", ".join(["%s"] * len(TAKEN_IN))
# SQLite allows 32,766 parameters in a statement.
MESSAGES_AT_ONCE = 1000


def store_messages(place: Place, rows: Sequence[Sequence[Any]], received_at: datetime) -> dict[str, int]:
    """Insert `RequestedMessage` rows for the connection that counts at `place`, if its messages are taken.

    A row holds the columns between connection_id and received_at in `_INSERT_MESSAGES`, with encrypted columns
    already encrypted. A message whose send id the connection has already is left unchanged. Returns the keys of the
    new ones by send id. Up to `MESSAGES_AT_ONCE` rows are one statement, which needs no transaction around it.
    """
    sender, of_sender = current_connection.statement(*place)
    moment = connection.ops.adapt_datetimefield_value(received_at)
    stored: dict[str, int] = {}
    whole = transaction.atomic() if len(rows) > MESSAGES_AT_ONCE else nullcontext()
    with whole:
        for start in range(0, len(rows), MESSAGES_AT_ONCE):
            some = rows[start : start + MESSAGES_AT_ONCE]
            values = [value for row in some for value in (*row, moment)]
            places = ", ".join([_MESSAGE] * len(some))
            statement = _INSERT_MESSAGES.format(sender=sender, rows=places, states=_STATES)
            stored |= dict(fetch_all(statement, [*of_sender, *values, *TAKEN_IN]))
    return stored


class StatusRows:
    """Statuses that are ready to be written.

    PostgreSQL gets each column as one array and unnests them itself. This takes a third of the time needed to build a
    thousand model instances and parameters (`python -m bench web`).
    """

    def __init__(self, rows: Sequence[StatusRow]) -> None:
        self._rows = rows
        by_columns = zip(*rows, strict=True) if connection.vendor == "postgresql" else ()
        self._columns = [as_array(column) for column in by_columns]

    def store(self, batches: Sequence[int]) -> dict[int, int]:
        """Insert the statuses in their order into the batches with these keys, leaving existing ones unchanged.

        Set each batch's size, delete batches that got no status, and return the sizes of the others by key.
        """
        held = self._store_by_columns(batches) if self._columns else self._store_by_model(batches)
        if empty := [key for key in batches if key not in held]:
            StatusBatch.objects.filter(pk__in=empty).delete()
        return held

    def _store_by_columns(self, batches: Sequence[int]) -> dict[int, int]:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [as_array(batches), *self._columns])
            return dict(cursor.fetchall())

    def _store_by_model(self, batches: Sequence[int]) -> dict[int, int]:
        statuses = [MessageStatus(batch_id=batches[row.batch - 1], **_without_batch(row)) for row in self._rows]
        MessageStatus.objects.bulk_create(statuses, ignore_conflicts=True, batch_size=1000)
        measure(batches)
        return dict(StatusBatch.objects.filter(pk__in=batches).values_list("pk", "size"))


def _without_batch(row: StatusRow) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name != "batch"}
