"""Rules of the second factor: who must show one, and what counts as one."""

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
    """Return whether the person is staff and has shown the first factor."""
    user: User | AnonymousUser = request.user
    return bool(user.is_active and getattr(user, "is_staff", False))


def is_verified(request: HttpRequest) -> bool:
    """Return whether this session has shown the second factor."""
    return cast("bool", request.user.is_verified())  # type: ignore[union-attr] # from django-otp's middleware


def needs_second_factor(request: HttpRequest) -> bool:
    """Return whether this member of staff must still show the second factor.

    `STAFF_TWO_FACTOR` demands it of all staff; those who have set it up are asked in any case.
    """
    return not is_verified(request) and (settings.STAFF_TWO_FACTOR or authenticator_of(request) is not None)


def authenticator_of(request: HttpRequest) -> Authenticator | None:
    """Return the authenticator of the signed-in member of staff; None if there is none."""
    return cast("Authenticator | None", Authenticator.objects.filter(user=request.user.pk).first())


def show_factor(request: HttpRequest, code: str) -> bool:
    """Return whether a code is right; if so, verify this session under a new key, so that its old key lets nobody in.

    A wrong code counts like a wrong password (accounts/sign_in.py): after ten, both ways in are closed.
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
    """Return whether the person shows both factors again, as weakening the second requires. The code is used up."""
    return is_own_password(cast("User", request.user), password) and show_factor(request, code)


def _take(user: User, code: str) -> Authenticator | None:
    """Return the user's authenticator if `code` is its present code or an unused backup code; each is accepted once.

    A try counts until it has succeeded, so that tries of the same moment are not all checked.
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
    """Check a backup code and use it up. One hash is checked whatever it is; no lock is held for that half second."""
    unused = authenticator.backup_codes.filter(number=number_of(code), used_at=None)
    row = unused.first()
    if not is_backup_code(code, row.digest if row else ""):
        return False
    return bool(unused.filter(digest=row.digest).update(used_at=timezone.now()) == 1)


def _name(user: User) -> str:
    return (user.email or f"#{user.pk}").lower()
