"""A JSON column that SQLite and PostgreSQL hold alike, whatever came from outside, and its field in staff's forms."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.forms.fields import InvalidJSONInput

from partner_portal.core.clean import InvalidJsonError, clean_json
from partner_portal.core.request_json import parse_request


class JSONField(models.JSONField):
    """Texts are stored clean; a decimal as the number where a double holds it exactly, else as its text."""

    def deconstruct(self) -> Any:
        """For migrations it is Django's own: the column is the same."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return super().get_db_prep_value(_storable(value), connection, prepared)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": JSONFormField, **kwargs})


class JSONFormField(forms.JSONField):
    """What staff type is read as a request is."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip():
            try:
                parse_request(value.encode("utf-8", "replace"))
            except InvalidJsonError as problem:
                raise ValidationError(str(problem)) from None
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, shown again as it was where it is no JSON."""
        try:
            self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)


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
