"""Choosing a new password by an e-mail, also for owners who never had one."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.emails import queue_email, reader_of, request_email
from accounts.limits import RESETS, network_of
from accounts.models import User
from accounts.pages import NOTICES, too_many
from accounts.proofs import take_over
from accounts.sessions import SessionRevokedError, as_let_in

CHOSEN = "password-chosen"
NOTICES.register(CHOSEN, _("Your new password is saved. Sign in with it."))


class OwnerResetForm(forms.Form):
    """A form for the address that wants an e-mail."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """A form behind the e-mail's link: whoever sets the password reads the mail, and takes the account over."""

    def save(self, commit: bool = True) -> User:
        """Take the account over. Raises SessionRevokedError if the account was changed or closed meanwhile."""
        with as_let_in(self.user) as held:
            take_over(held, password=self.cleaned_data["new_password1"])
        return held


class AskForReset(FormView):  # type: ignore[type-arg]
    """The page to request a new password; the answer, and its time, are the same for every address.

    Owners who came with Altegio's signature have no password yet; they get the e-mail too. Staff do not: an
    administrator resets their password.
    """

    template_name = "accounts/reset.html"
    form_class = OwnerResetForm
    success_url = reverse_lazy("accounts:reset-sent")

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if wait := RESETS.hit(request):
            return too_many(request, wait)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        if wait := send_reset_link(form.cleaned_data["email"], network_of(self.request)):
            return too_many(self.request, wait)
        return HttpResponseRedirect(self.get_success_url())


class ChoosePassword(PasswordResetConfirmView):
    """The page behind the e-mail's link. It opens nothing for anybody who became staff or was shut out meanwhile."""

    template_name = "accounts/reset_confirm.html"
    form_class = NewPasswordForm

    def get_success_url(self) -> str:
        return f"{reverse('accounts:sign-in')}?done={CHOSEN}"

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        return user if isinstance(user, User) and user.is_active and not user.is_staff else None

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except SessionRevokedError:
            self.validlink = False
            return self.render_to_response(self.get_context_data(form=form))


def send_reset_link(email: str, network: str) -> int:
    """Queue an e-mail to choose a password for the owner at this address, if any; return the seconds to wait or 0."""
    return request_email("password_reset", email, asked_by=network)


def send_own_reset_link(owner: User) -> None:
    """Queue the same e-mail for the signed-in owner who requests it."""
    queue_email("password_reset", owner, key=f"own-reset:{owner.pk}:{timezone.now():%Y%m%d%H%M%S%f}")


@EMAIL_CONTEXTS.add("password_reset")
def with_reset_link(params: dict[str, Any]) -> dict[str, Any]:
    """Return the e-mail's link, made when it is sent, and its reader's name."""
    user = reader_of(params)
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    return {"link": settings.PORTAL_URL + reverse("accounts:reset-confirm", args=[uid, token]), "name": user.name}
