"""The change of a staff member's own password, which asks for the present one and counts the tries."""

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy

from accounts.models import User
from accounts.sessions import SessionRevokedError, as_let_in
from accounts.sign_in import is_own_password


class StaffPasswordForm(AdminPasswordChangeForm):
    """Django's form, closed after ten failures; it writes only the account's password."""

    user: User

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if not is_own_password(self.user, password):
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password

    def save(self, commit: bool = True) -> User:
        with as_let_in(self.user) as held:
            held.set_password(self.cleaned_data["new_password1"])
            held.save(update_fields=["password"])
        self.user = held
        return held


def change_password(request: HttpRequest, frame: dict[str, Any]) -> HttpResponseBase:
    """Show the page; write nothing if the account is closed or changed meanwhile. `frame` is the admin's context."""
    view = PasswordChangeView.as_view(
        form_class=StaffPasswordForm, success_url=reverse_lazy("admin:password_change_done"), extra_context=frame
    )
    try:
        return view(request)
    except SessionRevokedError:
        return redirect("admin:login")
