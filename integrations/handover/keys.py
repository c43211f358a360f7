"""Signing keys: made on first use, served before they sign, replaced so that every token can be checked."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import IntegrityError, transaction
from django.utils import timezone
from jwt.algorithms import ECAlgorithm

from integrations.handover.models import SigningKey

ALGORITHM = "ES256"
# How long a cabinet may keep the list of keys that it has read.
KEPT_BY_READERS = timedelta(minutes=10)
# How long a new key is served before it signs, and the former one after its last token.
OVERLAP = timedelta(hours=1)


class RotationUnderwayError(Exception):
    """Raised when a key that is to sign next is already served; `str()` says from when it signs."""


def signing_key() -> SigningKey:
    """Return the key that signs now; make the first one if there is none."""
    now = timezone.now()
    return _signing_at(now) or _make_first()


def public_keys() -> list[dict[str, Any]]:
    """Return the public keys to check by, newest first: the signing one, its successor, the former for a while."""
    now = timezone.now()
    if _signing_at(now) is None:
        _make_first()
    # The private keys stay unread, so that serving needs none of `FIELD_ENCRYPTION_KEYS`.
    keys = list(SigningKey.objects.order_by("-generation").only("public_jwk", "signs_from"))
    served = [
        key
        for key, successor in zip(keys, [None, *keys], strict=False)
        if successor is None or successor.signs_from + OVERLAP > now
    ]
    return [key.public_jwk for key in served]


@transaction.atomic
def rotate(*, at_once: bool = False) -> SigningKey:
    """Make the next key, which signs after `OVERLAP`, and delete those that no token needs any more.

    With `at_once` the new key signs now, and no other is served: for a key that others may know. Raises
    RotationUnderwayError until the last key has signed for `OVERLAP`.
    """
    now = timezone.now()
    newest = SigningKey.objects.select_for_update(no_key=True).order_by("-generation").first()
    if newest is None:
        return _make_first()
    if at_once:
        SigningKey.objects.all().delete()
        return _make(newest.generation + 1, signs_from=now)
    # The first key replaces none, so it may be followed at any time.
    if newest.generation > 1 and newest.signs_from + OVERLAP > now:
        raise RotationUnderwayError(f"Key {newest.kid} signs from {newest.signs_from:%Y-%m-%d %H:%M} UTC on.")
    SigningKey.objects.filter(generation__lt=newest.generation).delete()
    return _make(newest.generation + 1, signs_from=now + OVERLAP)


def replace_keys_in_force() -> None:
    """Make a new key sign alone, if there is any: one that was replaced because others knew it may be back."""
    if SigningKey.objects.exists():
        rotate(at_once=True)


def _signing_at(now: datetime) -> SigningKey | None:
    return SigningKey.objects.filter(signs_from__lte=now).order_by("-generation").first()


def _make_first() -> SigningKey:
    try:
        with transaction.atomic():
            return _make(1, signs_from=timezone.now())
    except IntegrityError:
        return SigningKey.objects.get(generation=1)


def _make(generation: int, *, signs_from: datetime) -> SigningKey:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    kid = uuid.uuid4().hex
    jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True) | {"kid": kid, "use": "sig", "alg": ALGORITHM}
    return SigningKey.objects.create(
        generation=generation, kid=kid, private_key=pem, public_jwk=jwk, signs_from=signs_from
    )
