"""Choosing a new password: by a letter, also for owners who never had one."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _

from accounts.letters import letter_builder, queue_letter
from accounts.limits import LETTERS_TO_ONE
from accounts.models import User
from accounts.proofs import note_proof


class OwnerResetForm(PasswordResetForm):
    """The same answer for every address; a letter only to active owners, sent by Celery.

    Owners who came with Altegio's signature have no password yet: they get the letter too. Staff do not:
    their password is reset by an administrator.
    """

    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def get_users(self, email: str) -> Iterable[User]:
        return User.objects.with_email(email).filter(is_active=True, is_staff=False)

    def save(self, *_args: Any, **_kwargs: Any) -> None:
        for user in self.get_users(self.cleaned_data["email"]):
            send_reset_link(user)


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """Behind the letter's link: whoever sets the password reads the mail, too."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit)
        note_proof(user)
        return user


def send_reset_link(user: User) -> None:
    """A letter with which `user` chooses a password; at most one a minute."""
    if user.email and not LETTERS_TO_ONE.hit(user.email.lower()):
        key = f"password-reset:{user.pk}:{timezone.now():%Y%m%d%H%M}"
        queue_letter("password_reset", user.email, key=key, language=user.language, user=user.pk)


@letter_builder("password_reset")
def with_reset_link(params: dict[str, Any]) -> dict[str, Any]:
    """The letter's link, made at the moment of sending."""
    user = User.objects.get(pk=params["user"])
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    return {"link": settings.PORTAL_URL + reverse("accounts:reset-confirm", args=[uid, token]), "name": user.name}
