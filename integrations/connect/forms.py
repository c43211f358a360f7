"""Forms of an unsigned arrival; their field names are those of docs/interface.md."""

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from integrations.connect.arrivals import SignUp


class EmailForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class SignInForm(EmailForm):
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SignUpForm(EmailForm):
    name = forms.CharField(
        label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
    )
    password = forms.CharField(
        label=_("Choose a password"),
        max_length=200,
        strip=False,
        help_text=_("At least 8 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    field_order = ["name", "email", "phone", "password"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        # The password is compared with what was typed, not with an account, so the answer reveals nothing about
        # accounts.
        person = User(email=self.cleaned_data.get("email"), name=self.cleaned_data.get("name", ""))
        validate_password(password, person)
        return password

    def as_sign_up(self) -> SignUp:
        data = self.cleaned_data
        return SignUp(name=data["name"], email=data["email"].lower(), phone=data["phone"], password=data["password"])
