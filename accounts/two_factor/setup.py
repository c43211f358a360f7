"""The set-up of a second factor, and its change.

The password alone sets up nothing: a first phone needs the link that an administrator sends, another phone needs both
factors. The key that is being set up is stored, encrypted, only in the session that may set it up: no other session
shows it, and it becomes an `Authenticator` with its first code.

Every change ends the person's other sessions and every link, and is reported by e-mail.
"""

import time
from typing import Any, cast

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_otp import login as remember_factor

from accounts.confirmation_links import state_of
from accounts.email_rendering import EMAIL_CONTEXTS
from accounts.emails import queue_email
from accounts.models import Authenticator, BackupCode, User
from accounts.sessions import keep_this_session, sign_out_everywhere
from accounts.totp import new_backup_codes, new_key, normal, step_of
from partner_portal.core.encryption import decrypt, encrypt

LINK_SECONDS = 24 * 3600
# How long a session may set up a factor after its link, or both factors, allowed it.
MAY_SECONDS = 3600
_SALT = "accounts.two-factor.set-up"
_SESSION = "two_factor_set_up"


class SetupRefusedError(Exception):
    """Raised when the account has changed since the change of its factor began."""


# --- the link -------------------------------------------------------------------------------------
def can_get_link(user: User) -> bool:
    """Return whether this person may get a link to set up a first phone."""
    is_ready = user.is_staff and user.is_active and bool(user.email)
    return is_ready and not Authenticator.objects.filter(user=user).exists()


def send_link(user: User) -> None:
    """Queue the e-mail with the link to set up a first phone; `can_get_link` must allow it."""
    key = f"two-factor-link:{user.pk}:{timezone.now():%Y%m%d%H%M%S%f}"
    queue_email("staff/two_factor_link", user, key=key, state=state_of(user))


@EMAIL_CONTEXTS.add("staff/two_factor_link")
def with_link(params: dict[str, Any]) -> dict[str, Any]:
    """Return the e-mail's link, made when it is sent."""
    return {"link": link_for(params["person"].pk, params["state"])}


def link_for(user_id: int, state: str) -> str:
    """Return the absolute URL of the link. It ends after a day, with its use, and with any change to the account."""
    token = signing.dumps([user_id, state], salt=_SALT)
    return settings.PORTAL_URL + reverse("admin:two-factor-link", args=[token])


def open_link(request: HttpRequest, token: str) -> bool:
    """Return whether the link is valid for the signed-in person; if so, this session may set the factor up."""
    user = cast("User", request.user)
    try:
        given = signing.loads(token, salt=_SALT, max_age=LINK_SECONDS)
    except signing.BadSignature:
        return False
    if given != [user.pk, state_of(user)] or not can_get_link(user):
        return False
    allow(request)
    return True


# --- this session ---------------------------------------------------------------------------------
def allow(request: HttpRequest) -> None:
    """Let this session set up a phone while the account stays as it is; whoever knew its old key may not."""
    request.session.cycle_key()
    state = state_of(cast("User", request.user))
    request.session[_SESSION] = {"state": state, "until": time.time() + MAY_SECONDS, "key": ""}


def is_allowed(request: HttpRequest) -> bool:
    """Return whether this session may set up a phone now."""
    right = request.session.get(_SESSION)
    return bool(right and time.time() < right["until"] and right["state"] == state_of(cast("User", request.user)))


def give_up(request: HttpRequest) -> None:
    """End the set-up in this session."""
    request.session.pop(_SESSION, None)


def fresh_key(request: HttpRequest) -> str:
    """Return a new key for the phone; one that was shown before and left unused is dropped."""
    key = new_key()
    request.session[_SESSION] = {**request.session[_SESSION], "key": encrypt(key)}
    return key


def key_here(request: HttpRequest) -> str:
    """Return the key that was shown to this session; a new one if there is none."""
    return decrypt(request.session[_SESSION]["key"]) or fresh_key(request)


# --- changes --------------------------------------------------------------------------------------
def finish(request: HttpRequest, code: str) -> list[str] | None:
    """Make the phone count from its first code on, instead of any other.

    Returns the backup codes to show; None for a wrong code. Raises SetupRefusedError if the account has changed.
    """
    user, key = cast("User", request.user), key_here(request)
    step = step_of(key, normal(code))
    if step is None:
        return None
    codes = new_backup_codes()
    with transaction.atomic():
        _insist_on_state(user, request.session[_SESSION]["state"])
        Authenticator.objects.filter(user=user).delete()
        authenticator = Authenticator.objects.create(user=user, name="app", key=key, last_step=step)
        _store(authenticator, codes)
        _changed(user, "set-up")
    give_up(request)
    keep_this_session(request, user)
    remember_factor(request, authenticator)
    return list(codes)


def renew_backup_codes(request: HttpRequest, authenticator: Authenticator) -> list[str]:
    """Replace the backup codes; return the new ones, to be shown only now. Raises SetupRefusedError."""
    user, state = cast("User", request.user), state_of(cast("User", request.user))
    codes = new_backup_codes()
    with transaction.atomic():
        _insist_on_state(user, state)
        authenticator.backup_codes.all().delete()
        _store(authenticator, codes)
        _changed(user, "codes")
    keep_this_session(request, user)
    return list(codes)


@transaction.atomic
def remove(authenticator: Authenticator) -> None:
    """Remove a lost phone: the person gets a link to set up another one, and all their sessions end."""
    user = User.objects.select_for_update(no_key=True).get(pk=authenticator.user_id)
    authenticator.delete()
    _changed(user, "removed")
    if can_get_link(user):
        send_link(user)


def _insist_on_state(user: User, state: str) -> None:
    """Raise SetupRefusedError if the account has changed. Call it in the change's transaction.

    Of two changes at once, the second finds the account changed.
    """
    if state_of(User.objects.select_for_update(no_key=True).get(pk=user.pk)) != state:
        raise SetupRefusedError


def _store(authenticator: Authenticator, codes: dict[str, str]) -> None:
    numbered = enumerate(codes.values(), start=1)
    BackupCode.objects.bulk_create(
        BackupCode(authenticator=authenticator, number=number, digest=digest) for number, digest in numbered
    )


def _changed(user: User, what: str) -> None:
    sign_out_everywhere(user)
    key = f"two-factor:{user.pk}:{timezone.now():%Y%m%d%H%M%S%f}"
    queue_email("staff/two_factor_changed", user, key=key, what=what)
