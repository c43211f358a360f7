"""Who must show a second factor, and what counts as one."""

from typing import cast

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from django_otp import login as remember_factor

from accounts.limits import FAILED_SIGN_INS
from accounts.models import User
from accounts.two_factor.models import Authenticator


def has_password_sign_in(request: HttpRequest) -> bool:
    """A member of staff who has shown the first factor."""
    user: User | AnonymousUser = request.user
    return bool(user.is_active and getattr(user, "is_staff", False))


def lacks_factor(request: HttpRequest) -> bool:
    """Whether this member of staff must still show the second factor.

    `STAFF_TWO_FACTOR` demands it of all; who has set it up is asked in any case.
    """
    shown = cast(bool, request.user.is_verified())  # type: ignore[union-attr] # from django-otp's middleware
    return not shown and (settings.STAFF_TWO_FACTOR or authenticator_of(request) is not None)


def authenticator_of(request: HttpRequest) -> Authenticator | None:
    """The confirmed authenticator of the member of staff."""
    return cast(Authenticator | None, Authenticator.objects.filter(user=request.user.pk, confirmed=True).first())


def authenticator_to_set_up(request: HttpRequest, *, anew: bool) -> Authenticator:
    """The one that is being set up: it counts once its first code has come.

    `anew` makes a fresh key: one that somebody saw before is not used.
    """
    user = cast(User, request.user)
    if anew:
        Authenticator.objects.filter(user=user, confirmed=False).delete()
    found, _made = Authenticator.objects.get_or_create(user=user, defaults={"name": "app", "confirmed": False})
    return cast(Authenticator, found)


def show_factor(request: HttpRequest, code: str) -> bool:
    """Take a code; a right one signs this session in, and confirms an authenticator that is being set up.

    A wrong one counts like a wrong password (accounts/sign_in.py): after ten both doors are closed.
    """
    user = cast(User, request.user)
    if FAILED_SIGN_INS.wait(_name(user)):
        return False
    with transaction.atomic():
        authenticator = Authenticator.objects.select_for_update().filter(user=user).first()
        if authenticator is not None and authenticator.verify_token(code):
            if not authenticator.confirmed:
                authenticator.confirmed = True
                authenticator.save(update_fields=["confirmed"])
            remember_factor(request, authenticator)
            return True
    FAILED_SIGN_INS.count(_name(user))
    return False


def forget_factor(authenticator: Authenticator) -> None:
    """The phone is lost or replaced: the person sets up another one at the next sign-in."""
    authenticator.delete()


def log_own(request: HttpRequest, what: str) -> None:
    """The staff member's own changes of the factor stand in their history."""
    LogEntry.objects.log_actions(
        user_id=cast(int, request.user.pk),
        queryset=[cast(User, request.user)],
        action_flag=CHANGE,
        change_message=what,
        single_object=True,
    )


def _name(user: User) -> str:
    return (user.email or f"#{user.pk}").lower()
