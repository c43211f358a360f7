"""A JSON column that stores any outside value alike on SQLite and PostgreSQL. No form shows it as JSON."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from partner_portal.core.clean import clean_json


class JSONField(models.JSONField):
    """A JSON field that stores texts cleaned, and a decimal as a number if a double is exact, else as its text."""

    def deconstruct(self) -> Any:
        """Describe the field as Django's own JSONField in migrations, because the column is the same."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return super().get_db_prep_value(_storable(value), connection, prepared)

    def formfield(self, **_kwargs: Any) -> None:
        """Return no form field: a form that sets such a column has its own field for it."""


def _storable(value: Any) -> Any:
    return _without_decimals(clean_json(value)) if isinstance(value, dict | list | str | Decimal) else value


def _without_decimals(value: Any) -> Any:
    if isinstance(value, Decimal):
        number = float(value)
        return number if Decimal(repr(number)) == value else str(value)
    if isinstance(value, list):
        return [_without_decimals(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_decimals(item) for name, item in value.items()}
    return value
