"""Signed, expiring tokens that carry a step of the arrival in its address, so that no cookie has to.

A step token lets its holder register or sign in on one arrival while that waits for nobody; a status token shows one
arrival's page and gives no power to act.
"""

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing

from accounts.models import User
from integrations.connections.models import Arrival

STATUS_AGE = 24 * 3600
STEP_AGE = 2 * 3600
LINK_AGE = 3600
_STATUS, _STEP, _LINK = "connect.status", "connect.step", "connect.link"


class _OneUse(PasswordResetTokenGenerator):
    """A token that ends when it is used (it depends on the last sign-in), or the password or address changes."""

    key_salt = "connect.sign-in-link"


_one_use = _OneUse()


def status_token(arrival: Arrival) -> str:
    return signing.dumps(arrival.pk, salt=_STATUS)


def step_token(arrival: Arrival) -> str:
    return signing.dumps(arrival.pk, salt=_STEP)


def link_token(arrival_id: int, user: User) -> str:
    """Return a token for an e-mail; it proves that its holder reads the mail of `user`."""
    return signing.dumps([arrival_id, user.pk, _one_use.make_token(user)], salt=_LINK)


def arrival_of_status(token: str) -> Arrival | None:
    return _arrival(token, _STATUS, STATUS_AGE)


def arrival_of_step(token: str) -> Arrival | None:
    return _arrival(token, _STEP, STEP_AGE)


def opened_link(token: str) -> tuple[Arrival, User] | None:
    """Return the arrival and the account behind an e-mail's link, or None if it was used or is too old."""
    try:
        arrival_id, user_id, one_use = signing.loads(token, salt=_LINK, max_age=LINK_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    arrival = Arrival.objects.select_related("application").filter(pk=arrival_id).first()
    user = User.objects.filter(pk=user_id, is_active=True, is_staff=False).first()
    if arrival is None or user is None or not _one_use.check_token(user, one_use):
        return None
    return arrival, user


def arrival_behind_old_link(token: str) -> Arrival | None:
    """Return the arrival that an e-mail's link led to, used or not, for a day: its person may still sign in there.

    Return None if the arrival waits for nobody: then whoever comes next may claim it, and an old link must not let
    them.
    """
    try:
        arrival_id, *_rest = signing.loads(token, salt=_LINK, max_age=STATUS_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Arrival.objects.select_related("application").filter(pk=arrival_id).exclude(claim="").first()


def _arrival(token: str, salt: str, max_age: int) -> Arrival | None:
    try:
        arrival_id = signing.loads(token, salt=salt, max_age=max_age)
    except signing.BadSignature:
        return None
    return Arrival.objects.select_related("application", "user").filter(pk=arrival_id).first()
