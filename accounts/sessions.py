"""An owner's sessions: which is fresh, which still stands, and how all of them end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import SESSION_KEY, update_session_auth_hash, user_logged_in
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import User
from partner_portal.core.key_gap import GAP

FRESH_SECONDS = 15 * 60
_SINCE = "signed_in_at"


@receiver(user_logged_in)
def remember_the_time(request: HttpRequest, **_: Any) -> None:
    """Store in a new session when it began."""
    request.session[_SINCE] = int(time.time())


class SessionRevokedError(Exception):
    """Raised when the person's access has ended: the account was taken back, closed, or is staff's now."""


def held_as(user: User) -> User | None:
    """Lock the account and return it as it is now; None if what let `user` in has ended since.

    Call it before anything else is locked.
    """
    now = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    is_the_same = constant_time_compare(now.get_session_auth_hash(), user.get_session_auth_hash())
    return now if now.is_active and is_the_same else None


@contextmanager
def as_let_in(user: User) -> Iterator[User]:
    """Yield the locked account, as it is now, in a transaction. Raises SessionRevokedError if its access has ended.

    Whoever takes the account back at the same moment has done so before, or does so after all that is changed here.
    """
    with transaction.atomic():
        if (held := held_as(user)) is None:
            raise SessionRevokedError
        yield held


def recently_authenticated(request: HttpRequest, owner: User) -> bool:
    """Return whether a change that could take the account over may go on.

    Owners with a password may: the form asks for it. Owners without one must have signed in a moment ago, so that
    nobody else sits there.
    """
    return owner.has_usable_password() or _is_fresh(request, owner)


def _is_fresh(request: HttpRequest, owner: User) -> bool:
    return _is_session_of(request, owner) and time.time() - request.session.get(_SINCE, 0) < FRESH_SECONDS


def keep_this_session(request: HttpRequest, owner: User) -> None:
    """Keep this session after a change of password; the other sessions end."""
    if _is_session_of(request, owner):
        update_session_auth_hash(request, owner)


def sign_out_everywhere(owner: User) -> None:
    """End every session of the owner, on all devices."""
    User.objects.filter(pk=owner.pk).update(session_epoch=F("session_epoch") + 1)
    owner.refresh_from_db(fields=["session_epoch"])


@transaction.atomic
def sign_everybody_out() -> None:
    """End every session and frame token of everybody, in a restored database.

    The epochs leap, like ids (`key_gap`): one that was given in the lost time must not come to count again.
    """
    User.objects.update(session_epoch=F("session_epoch") + GAP)
    Session.objects.all().delete()


def _is_session_of(request: HttpRequest, owner: User) -> bool:
    return str(request.session.get(SESSION_KEY, "")) == str(owner.pk)
