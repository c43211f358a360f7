"""Limits for each calling address and account: how many in a window, counted in the shared cache.

They stand on arrivals, sign-in and API keys (INTERFACE.md), never on Altegio's callbacks. They slow an
attacker down; no rule of money or ownership rests on them, so a lost cache only forgives.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


def client_address(request: HttpRequest) -> str:
    """The caller's address; behind an https `PORTAL_URL` the one the proxy saw."""
    if settings.BEHIND_HTTPS and (forwarded := request.headers.get("X-Forwarded-For", "")):
        return forwarded.rsplit(",", 1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


@contextmanager
def _forgiving() -> Iterator[None]:
    """With the cache away nobody is held back: an arrival must not be lost for it."""
    try:
        yield
    except (RedisError, OSError) as error:
        log.warning("cache_away", error=type(error).__name__)


@dataclass(frozen=True)
class Limit:
    """At most `most` in each `seconds` for one address (or one given name)."""

    name: str
    most: int
    seconds: int

    def _key(self, who: str) -> str:
        window = int(time.time() // self.seconds)
        return f"limit:{self.name}:{window}:{hashlib.sha256(who.encode()).hexdigest()[:24]}"

    def count(self, who: HttpRequest | str) -> None:
        """One more."""
        key = self._key(who if isinstance(who, str) else client_address(who))
        with _forgiving():
            if not cache.add(key, 1, timeout=self.seconds):
                with suppress(ValueError):  # it ended in between
                    cache.incr(key)

    def wait(self, who: HttpRequest | str) -> int:
        """Seconds until the caller may come again; 0 when it may now."""
        key = self._key(who if isinstance(who, str) else client_address(who))
        with _forgiving():
            if cache.get(key, 0) >= self.most:
                return self.seconds - int(time.time() % self.seconds)
        return 0

    def hit(self, who: HttpRequest | str) -> int:
        """Count, and say how many seconds to wait: 0 when this one is within the limit."""
        wait = self.wait(who)
        if not wait:
            self.count(who)
        return wait


ARRIVALS = Limit("arrivals", 600, 60)
SIGN_INS = Limit("sign-ins", 60, 60)
SIGN_UPS = Limit("sign-ups", 60, 60)
LETTERS_TO_ONE = Limit("letters", 5, 900)
FAILED_SIGN_INS = Limit("failed-sign-ins", 10, 900)
BAD_API_KEYS = Limit("bad-api-keys", 60, 60)
