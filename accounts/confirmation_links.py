"""Links in e-mails that confirm one thing: valid for an hour, once, and only while the account stays unchanged.

Changes count from the moment the e-mail was requested, so a late e-mail confirms nothing that was requested since.
"""

import hashlib
from typing import Literal

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse

from accounts.models import User

Purpose = Literal["email", "erase"]


class _Tokens(PasswordResetTokenGenerator):
    """A token generator whose tokens survive a sign-in, unlike Django's: the e-mail may be read on another device."""

    def __init__(self, purpose: Purpose, state: str) -> None:
        super().__init__()
        self.key_salt = f"accounts.confirmation_links.{purpose}"
        self.state = state

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return repr((user.pk, self.state, timestamp))


def state_of(user: User) -> str:
    """Return a hash of the account's state, which may be stored with the e-mail; links end when the state changes."""
    parts = (user.pk, user.password, user.email, user.pending_email, user.session_epoch, user.is_active)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def link_for(user: User, purpose: Purpose, url_name: str, *, state: str) -> str:
    """Return an absolute URL for `user` that confirms `purpose`, requested when the account was in `state`."""
    token = f"{user.pk}-{_Tokens(purpose, state).make_token(user)}"
    return settings.PORTAL_URL + reverse(url_name, args=[token])


def opened(token: str, purpose: Purpose) -> User | None:
    """Return the user whose link this is; None if it was used, is too old or is not ours."""
    pk, _, rest = token.partition("-")
    user = User.objects.filter(pk=int(pk), is_active=True, is_staff=False).first() if _is_id(pk) else None
    return user if user is not None and _Tokens(purpose, state_of(user)).check_token(user, rest) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
