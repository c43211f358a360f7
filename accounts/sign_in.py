"""Who may sign in with a password. One rule for the admin, the owner's pages and the arrival."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.limits import FAILED_OWN_PASSWORDS, FAILED_SIGN_INS
from accounts.models import User
from accounts.proofs import opens_by_password

# The same for a wrong password and for one that counts only once its address is proven: nothing is told apart.
CANNOT_SIGN_IN = _(
    "This e-mail and password do not belong together, or the address is not confirmed yet. Open the link in our "
    "e-mail, or have a new one sent."
)


class PasswordBackend(ModelBackend):
    """Django's password check: closed after ten failures (docs/interface.md), and until the address is proven."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        email = (username or kwargs.get("email") or "").strip().lower()
        # Every try counts until it has succeeded: those that come at the same moment are not looked at either.
        if not email or password is None or FAILED_SIGN_INS.hit(email):
            return None
        user = super().authenticate(request, username=email, password=password)
        if user is None or not opens_by_password(user):
            return None
        FAILED_SIGN_INS.forgive(email)
        return user


def owner_with_password(request: HttpRequest, email: str, password: str) -> User | None:
    """The owner these belong to. Staff are never signed in where owners are."""
    user = PasswordBackend().authenticate(request, username=email, password=password)
    return None if user is None or user.is_staff else user


def is_own_password(owner: User, password: str) -> bool:
    """Whether somebody who is signed in knows the password too; closed after ten failures like a sign-in."""
    if FAILED_OWN_PASSWORDS.hit(str(owner.pk)):
        return False
    right = owner.check_password(password)
    if right:
        FAILED_OWN_PASSWORDS.forgive(str(owner.pk))
    return right
