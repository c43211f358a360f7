"""Secrets at rest: a model field that encrypts, and a hash by which a secret is looked up."""

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plain: str) -> str:
    """Encrypt `plain` with the newest key of `FIELD_ENCRYPTION_KEYS`; "" stays ""."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(plain.encode()).decode() if plain else ""


def decrypt(stored: str) -> str:
    """Return the plain text, whichever of the keys it was encrypted with; "" stays "".

    Raises ValueError if none of `FIELD_ENCRYPTION_KEYS` fits.
    """
    return _with_keys(MultiFernet.decrypt, stored) if stored else ""


def rotated(stored: str) -> str:
    """Encrypt the same secret with the newest key, and keep the time of its first encryption.

    Raises ValueError as `decrypt` does.
    """
    return _with_keys(MultiFernet.rotate, stored)


def _with_keys(work: Callable[[MultiFernet, bytes], bytes], stored: str) -> str:
    try:
        return work(_fernet(tuple(settings.FIELD_ENCRYPTION_KEYS)), stored.encode()).decode()
    except InvalidToken:
        raise ValueError(
            "A stored secret fits none of FIELD_ENCRYPTION_KEYS; put the key it was made with back."
        ) from None


def lookup_hash(secret: str) -> str:
    """Return the hash by which a long random secret is found: 64 hexadecimal digits that do not lead back to it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Return whether two secrets are equal, in constant time, whatever characters they hold."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


class EncryptedTextField(models.TextField[str, str]):
    """A text field that is encrypted in the database and plain in Python."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return None if value is None else decrypt(value)

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else encrypt(str(value))


# Columns that contain a hash of a secret, apart from those whose name ends with `_hash`.
_HASHES = frozenset({"digest", "hashed_key", "password"})


def is_secret(field: Any) -> bool:
    """Return whether a column contains a secret, encrypted or hashed: no page shows, filters or searches it."""
    name = getattr(field, "name", "")
    return isinstance(field, EncryptedTextField) or name in _HASHES or name.endswith("_hash")
