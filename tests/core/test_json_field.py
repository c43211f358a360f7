"""Everything that Altegio answers and the portal stores fits into a JSON column, on each database."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import models
from django.forms import fields_for_model

from integrations.connections.models import Application
from integrations.outbox.models import OutgoingCall
from partner_portal.core.json_field import JSONField

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a\x00": ["\ud83d", "b\x00"]}, {"a": ["\ufffd", "b"]}),
        ([Decimal("15.55"), Decimal("0.30000000000000004"), 7], [15.55, 0.30000000000000004, 7]),
        ([Decimal("0.1234567890123456789"), Decimal("1E+400")], ["0.1234567890123456789", "1E+400"]),
        ([{"deep": [[[{}]]]}, None, True, "Салон"], [{"deep": [[[{}]]]}, None, True, "Салон"]),
    ],
)
def test_a_json_value_is_stored_and_read_back(value: Any, kept: Any) -> None:
    application = Application.objects.create(altegio_id=1, channels=value)
    application.refresh_from_db()
    assert application.channels == kept
    Application.objects.update(channels=[value])
    assert Application.objects.get(channels=[kept]).channels == [kept]


def test_every_column_for_outside_json_uses_the_field() -> None:
    for model, name in ((Application, "channels"), (OutgoingCall, "params")):
        assert isinstance(model._meta.get_field(name), JSONField)
    assert JSONField().deconstruct()[1] == f"django.db.models.{models.JSONField.__name__}"


def test_no_form_offers_the_field() -> None:
    assert fields_for_model(Application, fields=["channels"]) == {}
