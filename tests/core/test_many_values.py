"""Many values travel as one parameter, and PostgreSQL reads what was written."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from integrations.connections.models import Location
from partner_portal.core.many_values import any_key, as_array

pytestmark = pytest.mark.django_db
ODD = ["", " ", "NULL", "{}", '{"a","b"}', "a,b", 'quote " quote', "'; --", "back\\slash\\", "\\n", "%s", "ñ 理髮 🙂"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite knows no arrays.")
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (ODD, "text"),
        ([1, None, -(2**63), 2**63 - 1], "bigint"),
        ([Decimal("0.045"), None, Decimal("1E+2"), Decimal(10**12 - 1)], "numeric"),
        ([True, False, None], "boolean"),
        ([], "text"),
    ],
)
def test_an_array_is_read_as_it_was_written(values: list[Any], kind: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [as_array(values)])
        assert cursor.fetchone() == (values,)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_are_found_by_any_number_of_keys(count: int) -> None:
    rows = Location.objects.bulk_create([Location(altegio_id=number) for number in range(1, 5)])
    keys = [row.pk for row in rows[:count]]
    found = Location.objects.filter(pk__in=any_key(keys)).order_by("pk")
    assert list(found.values_list("pk", flat=True)) == keys
