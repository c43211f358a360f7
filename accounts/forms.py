"""Forms of the my-data page."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordMixin
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.sign_in import is_own_password
from partner_portal.core.languages import own_name


class LanguageSelect(forms.Select):
    """A language menu that names each language in itself, and says so to whoever reads the page aloud."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["attrs"]["lang"] = str(value)
        return option


class ProfileForm(forms.ModelForm[User]):
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[(code, own_name(code)) for code, _name in settings.LANGUAGES],
        help_text=_("Of these pages and of our e-mails to you."),
        widget=LanguageSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.language:
            self.initial["language"] = get_language()

    class Meta:
        model = User
        fields = ("name", "phone", "language")
        labels = {"name": _("Your name"), "phone": _("Phone")}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "phone": forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
        }


class OwnPasswordForm(forms.Form):
    """A form that asks owners who have a password for it, so that whoever finds the page open can do no harm."""

    old_password = forms.CharField(
        label=_("Your present password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, owner: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        if not owner.has_usable_password():
            del self.fields["old_password"]

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if not is_own_password(self.owner, password):
            raise forms.ValidationError(_("This is not your present password."))
        return password


class FirstPasswordForm(forms.Form):
    """A form behind an e-mail's link that ends the present password: the reader may choose their own."""

    password = forms.CharField(
        label=_("Your password"),
        help_text=_("The one that you chose when you signed up, or a new one. Without one you sign in by an e-mail."),
        max_length=200,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, owner: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password, self.owner)
        return password


class AddressForm(OwnPasswordForm):
    email = forms.EmailField(
        label=_("New e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    field_order = ("email", "old_password")


class PasswordForm(SetPasswordMixin, OwnPasswordForm):  # type: ignore[type-arg]
    """A form for a new password; whoever has one enters it first."""

    new_password1, new_password2 = SetPasswordMixin.create_password_fields(
        _("New password"), _("New password once more")
    )
    field_order = ("old_password", "new_password1", "new_password2")

    def clean(self) -> dict[str, Any] | None:
        self.validate_passwords("new_password1", "new_password2")
        self.validate_password_for_user(self.owner, "new_password2")
        return super().clean()

    def save(self) -> None:
        self.owner.set_password(self.cleaned_data["new_password1"])
        self.owner.save(update_fields=["password"])
