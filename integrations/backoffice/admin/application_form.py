"""The admin form of an application, with the logo as a file upload and the channels as checkboxes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from integrations.connections.models import Application, BrandLogo
from partner_portal.core.english import english as _
from partner_portal.core.logos import MAX_BYTES, read_logo


class ApplicationForm(forms.ModelForm[Application]):
    """The form of an application. An uploaded `brand_logo` is validated and stored; clearing it removes the logo.

    The admin class decides on the other fields.
    """

    channels = forms.MultipleChoiceField(
        label=_("Channels"),
        required=False,
        choices=Application.Channel.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Sent at activation. None ticked: nothing is sent of them."),
    )
    brand_logo = forms.FileField(
        label=_("Brand: logo"),
        required=False,
        help_text=_("An SVG or PNG of at most 128 KiB that looks good on white. E-mails show a PNG alone."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["brand_logo"] = self.instance.brand_logo

    def clean_brand_logo(self) -> BrandLogo | None:
        """Return the logo's row, or None if it was cleared. Raises ValidationError for an invalid file.

        The row is created before the form is saved; it is named by its content, so this replaces nothing.
        """
        given = self.cleaned_data["brand_logo"]
        if not given or isinstance(given, BrandLogo):
            return given or None
        try:
            return BrandLogo.keep(read_logo(given.read(MAX_BYTES + 1)))
        except ValueError as error:
            raise ValidationError(str(error)) from error
