"""An owner's sessions: which is fresh, and ending them all."""

import time
from typing import Any

from django.contrib.auth import SESSION_KEY, update_session_auth_hash, user_logged_in
from django.db.models import F
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User

FRESH_SECONDS = 15 * 60
_SINCE = "signed_in_at"


@receiver(user_logged_in)
def remember_the_time(request: HttpRequest, **_: Any) -> None:
    """A session knows since when it is one."""
    request.session[_SINCE] = int(time.time())


def proves_itself(request: HttpRequest, owner: User) -> bool:
    """Whether what would take the account over may go on here: the form asks for the password, where there is one.

    Who has none must have signed in a moment ago, so that nobody else sits there.
    """
    return owner.has_usable_password() or _is_fresh(request, owner)


def _is_fresh(request: HttpRequest, owner: User) -> bool:
    return _is_session_of(request, owner) and time.time() - request.session.get(_SINCE, 0) < FRESH_SECONDS


def keep_this_session(request: HttpRequest, owner: User) -> None:
    """After a change of password: the other sessions end, this one goes on."""
    if _is_session_of(request, owner):
        update_session_auth_hash(request, owner)


def sign_out_everywhere(owner: User) -> None:
    """End every session of the owner, on all devices."""
    User.objects.filter(pk=owner.pk).update(session_epoch=F("session_epoch") + 1)
    owner.refresh_from_db(fields=["session_epoch"])


def _is_session_of(request: HttpRequest, owner: User) -> bool:
    return str(request.session.get(SESSION_KEY, "")) == str(owner.pk)
