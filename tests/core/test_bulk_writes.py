"""Many rows are written as they were set, in one statement."""

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from integrations.connections.models import Location
from partner_portal.core.bulk_writes import update_columns

pytestmark = pytest.mark.django_db
ODD = """Robert'); DROP TABLE "x"; -- {%s} \\ “ñ” 理髮 🙂\ttab"""
MOMENT = datetime(2026, 11, 26, 7, 15, 0, 123456, tzinfo=UTC)


def test_columns_are_written_as_they_were_set(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    rows = Location.objects.bulk_create([Location(altegio_id=number, city="Oslo") for number in (1, 2, 3)])
    for row in rows[:2]:
        row.title, row.in_business, row.fetched_at = f"{ODD} {row.altegio_id}", row.altegio_id == 1, MOMENT
        row.city = "not written"
    with django_assert_num_queries(1):
        update_columns(rows[:2], ["title", "in_business", "fetched_at"])
    written = Location.objects.order_by("altegio_id").values_list("title", "in_business", "fetched_at", "city")
    untouched = Location(altegio_id=3)
    assert list(written) == [
        (f"{ODD} 1", True, MOMENT, "Oslo"),
        (f"{ODD} 2", False, MOMENT, "Oslo"),
        ("", untouched.in_business, None, "Oslo"),
    ]


def test_no_rows_ask_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        update_columns([], ["title"])
