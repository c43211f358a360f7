"""Who must show a second factor, and what counts as one."""

from typing import cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django_otp import login as remember_factor

from accounts.models import Authenticator, User
from accounts.sign_in import Tries, is_own_password
from accounts.totp import is_backup_code, normal, number_of, step_of


def has_password_sign_in(request: HttpRequest) -> bool:
    """A member of staff who has shown the first factor."""
    user: User | AnonymousUser = request.user
    return bool(user.is_active and getattr(user, "is_staff", False))


def is_verified(request: HttpRequest) -> bool:
    """Return whether this session has shown the second factor."""
    return cast("bool", request.user.is_verified())  # type: ignore[union-attr] # from django-otp's middleware


def needs_second_factor(request: HttpRequest) -> bool:
    """Return whether this member of staff must still show the second factor.

    `STAFF_TWO_FACTOR` demands it of all; who has set it up is asked in any case.
    """
    return not is_verified(request) and (settings.STAFF_TWO_FACTOR or authenticator_of(request) is not None)


def authenticator_of(request: HttpRequest) -> Authenticator | None:
    """The authenticator of the member of staff."""
    return cast("Authenticator | None", Authenticator.objects.filter(user=request.user.pk).first())


def show_factor(request: HttpRequest, code: str) -> bool:
    """Take a code; a right one signs this session in, under a new name: who knew the old one is not let in with it.

    A wrong one counts like a wrong password (accounts/sign_in.py): after ten both doors are closed.
    """
    user = cast("User", request.user)
    tries = Tries.at(_name(user), user.password, request)
    if tries.hit():
        return False
    authenticator = _take(user, normal(code))
    if authenticator is None:
        return False
    tries.forgive()
    request.session.cycle_key()
    remember_factor(request, authenticator)
    return True


def proves_both_factors(request: HttpRequest, password: str, code: str) -> bool:
    """Return whether the person shows both factors again, for what weakens the second. The code is used up."""
    return is_own_password(cast("User", request.user), password) and show_factor(request, code)


def _take(user: User, code: str) -> Authenticator | None:
    """The user's authenticator if this is the app's present code, or an unused backup code; either is taken once.

    A try counts until it has succeeded: those that come at the same moment are not looked at together.
    """
    with transaction.atomic():
        found = Authenticator.objects.select_for_update().filter(user=user).first()
        if found is None or not found.verify_is_allowed()[0]:
            return None
        found.throttle_increment(commit=False)
        found.save(update_fields=["throttling_failure_timestamp", "throttling_failure_count"])
    if not (_takes_present(found, code) or _takes_backup(found, code)):
        return None
    reset = {"throttling_failure_timestamp": None, "throttling_failure_count": 0}
    still_there = Authenticator.objects.filter(pk=found.pk).update(**reset)
    return cast("Authenticator", found) if still_there else None


def _takes_present(authenticator: Authenticator, code: str) -> bool:
    step = step_of(authenticator.key, code, after=authenticator.last_step)
    if step is None:
        return False
    not_later = Authenticator.objects.filter(pk=authenticator.pk, last_step__lt=step)
    return bool(not_later.update(last_step=step))


def _takes_backup(authenticator: Authenticator, code: str) -> bool:
    """One hash is checked, whatever the code is. No lock is held meanwhile: it takes half a second."""
    unused = authenticator.backup_codes.filter(number=number_of(code), used_at=None)
    row = unused.first()
    if not is_backup_code(code, row.digest if row else ""):
        return False
    return bool(unused.filter(digest=row.digest).update(used_at=timezone.now()) == 1)


def _name(user: User) -> str:
    return (user.email or f"#{user.pk}").lower()
