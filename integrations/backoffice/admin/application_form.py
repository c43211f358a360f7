"""The form of an application, which takes its logo as a file and its channels as boxes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from integrations.connections.models import Application, BrandLogo
from partner_portal.core.english import english as _
from partner_portal.core.logos import MAX_BYTES, read_logo


class ApplicationForm(forms.ModelForm[Application]):
    """`brand_logo` is a file here: what comes is judged and stored, what is ticked off is given up.

    The admin says which fields there are besides.
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
        """The logo's row. It is there before the form is saved: it is named by its content, and changes nothing."""
        given = self.cleaned_data["brand_logo"]
        if not given or isinstance(given, BrandLogo):
            return given or None
        try:
            return BrandLogo.keep(read_logo(given.read(MAX_BYTES + 1)))
        except ValueError as error:
            raise ValidationError(str(error)) from error
