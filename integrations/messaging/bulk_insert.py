"""Writing many statuses and requested messages at once."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Min
from pydantic_core import to_json

from integrations.messaging.message_senders import TAKEN_IN, Place, current_connection
from integrations.messaging.models import MessageStatus

# The columns of a status that are known, and the number of its batch.
Row = dict[str, Any]

# The keys follow the order of the rows. What is written, and locked until the transaction ends, follows one order for
# everybody: two reports about the same messages never wait for each other crosswise.
_INSERT = """
    WITH numbered AS MATERIALIZED (
        SELECT nextval('messaging_messagestatus_id_seq') AS id, told.*
        FROM json_to_recordset(%s::json) AS told(
            batch integer, address_id bigint, message_id text, id_is_number boolean, status smallint,
            payment_sum numeric, currency_iso text, parts_amount smallint, location_id bigint,
            requested_message_id bigint
        )
    ),
    stored AS (
        INSERT INTO messaging_messagestatus (
            id, batch_id, address_id, message_id, id_is_number, status, payment_sum, currency_iso, parts_amount,
            location_id, requested_message_id
        )
        SELECT id, (%s::bigint[])[batch], address_id, message_id, id_is_number, status, payment_sum,
            coalesce(currency_iso, ''), parts_amount, location_id, requested_message_id
        FROM numbered ORDER BY message_id COLLATE "C", status, address_id
        ON CONFLICT DO NOTHING
        RETURNING batch_id, id
    )
    SELECT batch_id, count(*), min(id) FROM stored GROUP BY batch_id
"""

# The connection is looked up in the statement that stores: what it is at this moment decides.
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
# SQLite takes 32,766 parameters in a statement.
MESSAGES_AT_ONCE = 1000


def store_messages(place: Place, rows: Sequence[Sequence[Any]], received_at: datetime) -> dict[str, int]:
    """Write rows of `RequestedMessage` for the connection that counts at `place`, where its messages are taken.

    A row holds what stands between connection and moment in `_INSERT_MESSAGES`; encrypted columns come encrypted.
    Those whose send id the connection has already are left as they are. Returns the keys of the new ones by their
    send ids. Up to `MESSAGES_AT_ONCE` are one statement, which needs no more.
    """
    sender, of_sender = current_connection.statement(*place)
    moment = connection.ops.adapt_datetimefield_value(received_at)
    stored: dict[str, int] = {}
    whole = transaction.atomic() if len(rows) > MESSAGES_AT_ONCE else nullcontext()
    with whole, connection.cursor() as cursor:
        for start in range(0, len(rows), MESSAGES_AT_ONCE):
            some = rows[start : start + MESSAGES_AT_ONCE]
            values = [value for row in some for value in (*row, moment)]
            places = ", ".join([_MESSAGE] * len(some))
            statement = _INSERT_MESSAGES.format(sender=sender, rows=places, states=_STATES)
            cursor.execute(statement, [*of_sender, *values, *TAKEN_IN])
            stored |= dict(cursor.fetchall())
    return stored


class StatusRows:
    """Rows of `MessageStatus` that are ready to be written, each with the number of its batch: 1 for the first.

    PostgreSQL gets them as one value and spreads them itself: half the time of building a thousand model
    instances and parameters (`python -m bench web`).
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._as_json = to_json(rows).decode() if connection.vendor == "postgresql" else ""

    def store(self, batches: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Write them in their order, for the batches with these keys; those that are there are left as they are.

        Returns how many each batch came to hold, and the key of the first; a batch that holds none is not there.
        """
        if connection.vendor != "postgresql":
            return self._store_by_model(batches)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [self._as_json, list(batches)])
            return {batch: (size, first) for batch, size, first in cursor.fetchall()}

    def _store_by_model(self, batches: Sequence[int]) -> dict[int, tuple[int, int]]:
        statuses = [MessageStatus(batch_id=batches[row["batch"] - 1], **_without_batch(row)) for row in self._rows]
        MessageStatus.objects.bulk_create(statuses, ignore_conflicts=True, batch_size=1000)
        held = MessageStatus.objects.filter(batch__in=batches).order_by().values_list("batch")
        counted = held.annotate(size=Count("pk"), first=Min("pk"))
        return {batch: (size, first) for batch, size, first in counted}


def _without_batch(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "batch"}
