"""Sign-in with a password: one rule for the admin, the owner's pages and the arrival."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.limits import FAILED_OWN_PASSWORDS, FAILED_SIGN_INS, FAILED_SIGN_INS_IN_ALL, network_of
from accounts.models import User
from accounts.proofs import opens_by_password

# The same text for a wrong password and for an address that is not proven yet, so that they cannot be told apart.
CANNOT_SIGN_IN = _(
    "This e-mail and password do not belong together, or the address is not confirmed yet. Open the link in our "
    "e-mail, or have a new one sent."
)


@dataclass(frozen=True)
class Tries:
    """Counters of tries at one account: ten failures from one network close it there, a hundred close it everywhere.

    They last for the limit's window. Because networks count apart, knowing an address is not enough to keep its owner
    out. A new password, which nobody sets without a proof, begins a new count.
    """

    network: str
    account: str

    @classmethod
    def at(cls, name: str, password_hash: str, request: HttpRequest | None) -> "Tries":
        account = f"{name} {password_hash}"
        return cls(f"{account} {network_of(request) if request else ''}", account)

    def hit(self) -> bool:
        """Count one try; return whether it is too many. One refused at a network does not count for others."""
        return bool(FAILED_SIGN_INS.hit(self.network) or FAILED_SIGN_INS_IN_ALL.hit(self.account))

    def forgive(self) -> None:
        """Take one try back, because it was the right one."""
        FAILED_SIGN_INS.forgive(self.network)
        FAILED_SIGN_INS_IN_ALL.forgive(self.account)


class PasswordBackend(ModelBackend):
    """Django's password check: closed after failures (docs/interface.md), and until the address is proven."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        email = (username or kwargs.get("email") or "").strip().lower()
        if not email or password is None:
            return None
        stored = User.objects.with_email(email).values_list("password", flat=True).first()
        tries = Tries.at(email, stored or "", request)
        # Every try counts until it has succeeded, so that tries of the same moment cannot exceed the limit either.
        if tries.hit():
            return None
        user = super().authenticate(request, username=email, password=password)
        if user is None or not opens_by_password(user):
            return None
        tries.forgive()
        return user


def owner_with_password(request: HttpRequest, email: str, password: str) -> User | None:
    """Return the owner with this e-mail and password, else None. Staff are never signed in where owners are."""
    user = PasswordBackend().authenticate(request, username=email, password=password)
    return None if user is None or user.is_staff else user


def is_own_password(owner: User, password: str) -> bool:
    """Return whether a signed-in person knows the password too; closed after ten failures, like a sign-in."""
    if FAILED_OWN_PASSWORDS.hit(str(owner.pk)):
        return False
    right = owner.check_password(password)
    if right:
        FAILED_OWN_PASSWORDS.forgive(str(owner.pk))
    return right
