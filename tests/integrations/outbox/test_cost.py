"""Claiming a call costs the same however much waits and is stored, by PostgreSQL's own account."""

import re
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from integrations.activation.call_kinds import Activate
from integrations.outbox.claim import due_calls, in_index_order
from integrations.outbox.models import OutgoingCall
from integrations.outbox.queue import new_call

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite does not tell what a query has read"),
]


def store(count: int, **fields: Any) -> None:
    calls = [
        new_call(Activate, f"{fields}:{n}", ordering_key=f"{fields.get('ordering_key', n)}") for n in range(count)
    ]
    for call in calls:
        call.state = fields.get("state", "queued")
    OutgoingCall.objects.bulk_create(calls)


def account() -> str:
    """Return what PostgreSQL did to find the next call."""
    with in_index_order():
        return due_calls(timezone.now())[:1].explain(analyze=True)


def test_a_burst_is_not_sorted_for_every_call() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_outgoingcall")
    store(2000)
    assert "Sort" not in account()


def test_the_finished_calls_of_an_ordering_key_are_not_read() -> None:
    store(2000, ordering_key="long", state="done")
    store(1, ordering_key="long")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_outgoingcall")
    removed = sum(int(count) for count in re.findall(r"Rows Removed by [A-Z][\w ]+: (\d+)", account()))
    assert removed < 20


def test_an_unavoidable_sort_is_not_jit_compiled() -> None:
    with in_index_order():
        sorted_all_the_same = OutgoingCall.objects.order_by("reason").explain(analyze=True)
    assert "Sort" in sorted_all_the_same
    assert "JIT" not in sorted_all_the_same
