"""The API writes its answers as JSON without loss (partner_portal/core/exact_json.py)."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from rest_framework.renderers import JSONRenderer

from partner_portal.core.english import english
from partner_portal.core.exact_json import ExactRenderer

MOMENT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("text", ["1E+399", "-1E+399", "0.123456789012345678901234567890", "10.00"])
def test_a_decimal_is_written_with_its_digits(text: str) -> None:
    assert ExactRenderer().render({"cost": Decimal(text)}) == f'{{"cost":{text}}}'.encode()


@pytest.mark.parametrize("accepted", ["application/json", "application/json; indent=2"])
@pytest.mark.parametrize(
    "value",
    [None, True, 1.5, "\u0416 </script> \u2028", english("Payment"), MOMENT, UUID(int=7), {"a": [1, (2,)]}, {}],
)
def test_everything_else_is_written_as_the_framework_does(value: Any, accepted: str) -> None:
    written = ExactRenderer().render([value], accepted)

    assert written == JSONRenderer().render([value], accepted)
    assert json.loads(written)


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        ExactRenderer().render(float("nan"))
