"""Frame tokens, which sign an owner in inside Altegio's iframe, where the browser keeps no cookie for us.

A token stands in the address. It lasts an hour, and ends with what ends a session: a new password, "sign out
everywhere", a closed account.
"""

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

FRAME_TOKEN_AGE = 3600
_SALT = "accounts.pass"


def make_frame_token(user: User) -> str:
    """Make a frame token for this owner. Call it only where they have just proven who they are."""
    return signing.dumps([user.pk, _fingerprint(user)], salt=_SALT)


def owner_of_frame_token(given: str) -> User | None:
    """Return the owner of the frame token; None if it is too old, has ended or is not ours. Staff have none."""
    try:
        user_id, fingerprint = signing.loads(given, salt=_SALT, max_age=FRAME_TOKEN_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=user_id, is_active=True, is_staff=False).first()
    if user is None or not constant_time_compare(str(fingerprint), _fingerprint(user)):
        return None
    return user


def _fingerprint(user: User) -> str:
    """Return a hash of what a session must hold; anybody with the token can read it, so it holds only the hash."""
    return salted_hmac(_SALT, user.get_session_auth_hash(), algorithm="sha256").hexdigest()[:32]
