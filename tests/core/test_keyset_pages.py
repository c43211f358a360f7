"""Consecutive pages are the whole query in its order, each row once, with equal and empty values too."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from accounts.models import User
from integrations.connections.models import Application, Location
from integrations.user_tokens.models import UserToken
from partner_portal.core.keyset_pages import read_pages
from partner_portal.core.models import FailedItem

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def items() -> None:
    """Make ten rows, some of which are equal or empty in the columns of the order."""
    FailedItem.objects.bulk_create(
        FailedItem(
            queue="abc"[number % 3],
            item=number,
            failed_at=NOON + timedelta(minutes=number % 2),
            dead_at=None if number % 4 == 0 else NOON + timedelta(minutes=number % 3),
        )
        for number in range(10)
    )


ORDERS: list[tuple[Any, ...]] = [
    ("-pk",),
    ("pk",),
    ("-id",),
    ("queue", "-pk"),
    ("-failed_at", "pk"),
    ("dead_at", "pk"),
    ("-dead_at", "queue", "-pk"),
    (F("dead_at").asc(nulls_last=True), "pk"),
    (F("dead_at").desc(nulls_last=True), "pk"),
    (F("dead_at").desc(nulls_first=True), "pk"),
]


@pytest.mark.parametrize("size", [1, 3, 10, 11])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_the_pages_are_the_query_in_its_order(items: None, order: tuple[Any, ...], size: int) -> None:
    ordered = FailedItem.objects.order_by(*order)
    pages = list(read_pages(ordered, size))
    assert [row.pk for page in pages for row in page] == [row.pk for row in ordered]
    assert {len(page) for page in pages[:-1]} <= {size}


def test_an_order_that_is_not_total_is_made_one(items: None) -> None:
    found = [row.pk for page in read_pages(FailedItem.objects.order_by("queue"), 2) for row in page]
    assert sorted(found) == sorted(FailedItem.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("order", ["location", "-location", "location__title", "location_id"])
def test_a_relation_is_ordered_as_its_rows_are(order: str) -> None:
    for number in (3, 1, 2):
        location = Location.objects.create(altegio_id=number, title="same")
        UserToken.objects.create(location=location, altegio_user_id=1, token="t")
    ordered = UserToken.objects.order_by(order, "-pk")
    assert [row.pk for page in read_pages(ordered, 2) for row in page] == [row.pk for row in ordered]


def test_rows_added_meanwhile_move_no_row_to_another_page(items: None) -> None:
    pages = read_pages(FailedItem.objects.order_by("-pk"), 4)
    first = next(pages)
    FailedItem.objects.create(queue="later", item=99)
    rest = [row.pk for page in pages for row in page]
    assert [row.pk for row in first] + rest == sorted(
        FailedItem.objects.exclude(item=99).values_list("pk", flat=True), reverse=True
    )


def test_an_empty_query_has_no_page() -> None:
    assert list(read_pages(Application.objects.order_by("name"), 5)) == []
    assert list(read_pages(User.objects.none().order_by("-pk"), 5)) == []
