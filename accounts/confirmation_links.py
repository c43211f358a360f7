"""Links in e-mails that confirm one thing: for an hour, once, and only as long as the account is as it was.

As it was when the e-mail was asked for: an e-mail that goes out late confirms nothing that was asked for since.
"""

import hashlib
from typing import Literal

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse

from accounts.models import User

Purpose = Literal["email", "erase"]


class _Tokens(PasswordResetTokenGenerator):
    """Unlike Django's, a sign-in leaves them good: the e-mail may be read on another device."""

    def __init__(self, purpose: Purpose, state: str) -> None:
        super().__init__()
        self.key_salt = f"accounts.confirmation_links.{purpose}"
        self.state = state

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return repr((user.pk, self.state, timestamp))


def state_of(user: User) -> str:
    """Return what ends a link when it changes, in a form that may be stored with the e-mail."""
    parts = (user.pk, user.password, user.email, user.pending_email, user.session_epoch, user.is_active)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def link_for(user: User, purpose: Purpose, url_name: str, *, state: str) -> str:
    """The full address for an e-mail to `user`; it confirms `purpose`, asked for when the account was in `state`."""
    token = f"{user.pk}-{_Tokens(purpose, state).make_token(user)}"
    return settings.PORTAL_URL + reverse(url_name, args=[token])


def opened(token: str, purpose: Purpose) -> User | None:
    """Return whose link it is; None once it was used, or is too old or not ours."""
    pk, _, rest = token.partition("-")
    user = User.objects.filter(pk=int(pk), is_active=True, is_staff=False).first() if _is_id(pk) else None
    return user if user is not None and _Tokens(purpose, state_of(user)).check_token(user, rest) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
