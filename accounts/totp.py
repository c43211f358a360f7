"""The codes of a second factor: six digits from the app (TOTP, RFC 6238), and backup codes on paper."""

import base64
import secrets

from django.contrib.auth.hashers import check_password, make_password
from django_otp.oath import TOTP

KEY_BYTES = 20
# How many steps of 30 s a clock may be wrong.
TOLERANCE = 1
# Each code has a digit that says which one it is, and 80 bits.
BACKUP_CODES = 8
BACKUP_BYTES = 10


def new_key() -> str:
    """Return a new key for an authenticator app, in base 32 as the apps read it."""
    return base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()


def normal(code: str) -> str:
    """Return a code in lower case, without the spaces and hyphens that make it readable."""
    return code.replace(" ", "").replace("-", "").lower()


def step_of(key: str, code: str, *, after: int = -1) -> int | None:
    """Return the time step at which `code` is the app's code now, later than step `after`; None for a wrong code."""
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    clock = TOTP(base64.b32decode(key))
    return clock.t() if clock.verify(int(code), tolerance=TOLERANCE, min_t=after + 1) else None


def new_backup_codes() -> dict[str, str]:
    """Return fresh backup codes, as they are shown, each with its hash. It takes seconds: hold no lock meanwhile."""
    codes = {}
    for number in range(1, BACKUP_CODES + 1):
        secret = base64.b32encode(secrets.token_bytes(BACKUP_BYTES)).decode().lower()
        shown = "-".join([str(number), *(secret[start : start + 4] for start in range(0, len(secret), 4))])
        codes[shown] = make_password(normal(shown))
    return codes


def number_of(backup_code: str) -> int:
    """Return which of the codes it claims to be, by its first digit; 0 for none."""
    first = backup_code[:1]
    return int(first) if first.isascii() and first.isdigit() else 0


def is_backup_code(code: str, digest: str) -> bool:
    """Return whether `digest` is the hash of `code`. An empty digest takes as long."""
    return check_password(code, digest or make_password(None))
