"""Many values as one parameter: PostgreSQL reads what was written."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from partner_portal.core.many_values import as_array

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
