"""A form field in which staff enter a location by its number at Altegio."""

from typing import Any

from django import forms

from integrations.connections.models import Location
from partner_portal.core.english import english as _


class LocationNumberField(forms.ModelChoiceField):  # type: ignore[type-arg]  # the stubs' class takes a type, Django's does not
    """A choice of a location by its number at Altegio.

    Nobody outside the database knows a row's key, and a number at Altegio may be the key of another row.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            Location.objects.all(),
            to_field_name="altegio_id",
            widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "vTextField"}),
            error_messages={"invalid_choice": _("No location with this number is known here.")},
            **options,
        )

    def prepare_value(self, value: Any) -> Any:
        """Return the shown value: Altegio's number, for a stored row's key, which is an int."""
        if isinstance(value, int):
            return Location.objects.filter(pk=value).values_list("altegio_id", flat=True).first()
        return super().prepare_value(value)
