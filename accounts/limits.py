"""Rate limits for each calling address and account: how many in a window, counted in the shared cache.

They protect arrivals, sign-in and API keys (docs/interface.md), never Altegio's callbacks. They slow an attacker
down; no rule of money or ownership rests on them, so a lost cache only forgives.
"""

import fcntl
import hashlib
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.core.cache import cache, caches
from django.core.cache.backends.redis import RedisCache
from django.http import HttpRequest
from redis.exceptions import RedisError

from partner_portal.core.encryption import lookup_hash
from partner_portal.core.network import caller_in

log = structlog.get_logger(__name__)
# Each thread has a cache object of its own; its client goes with it.
_clients: WeakKeyDictionary[RedisCache, Any] = WeakKeyDictionary()


def client_address(request: HttpRequest) -> str:
    """Return the caller's address, for IPv6 its network; behind an https `PORTAL_URL`, the one that the proxy saw.

    If the proxy wrote something that is no address, the connection's own counts: otherwise each text would be another
    caller.
    """
    connected = str(request.META.get("REMOTE_ADDR", ""))
    seen = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1] if settings.BEHIND_HTTPS else ""
    return caller_in(seen) or caller_in(connected) or connected


def network_of(request: HttpRequest) -> str:
    """Return the caller's network as a hash that may be stored: the /24 of IPv4, the /64 of IPv6."""
    address = client_address(request)
    try:
        known = ipaddress.IPv4Address(address)
    except ValueError:
        network = address
    else:
        network = str(ipaddress.IPv4Network((known, 24), strict=False))
    return lookup_hash(f"network:{network}")[:32]


def _or_none_yet(count: Callable[[], int]) -> int:
    """Return what is counted so far, or 0 if the cache is away: no arrival must be lost because of it."""
    try:
        return count()
    except (RedisError, OSError) as error:
        log.warning("cache_away", error=type(error).__name__)
        return 0


def _increase(key: str, number: int, seconds: int) -> int:
    """Return the counter under `key` after adding `number`; a new counter ends after this many seconds."""
    store = caches["default"]
    if not isinstance(store, RedisCache):
        return _increase_alone(key, number, seconds)
    stored = store.make_and_validate_key(key)
    # One round trip instead of the three of Django's `add` and `incr`: every arrival waits for it.
    trip = _client_of(store).pipeline(transaction=False)
    trip.set(stored, 0, ex=seconds, nx=True)
    trip.incrby(stored, number)
    counted: int = trip.execute()[-1]
    return counted


def _client_of(store: RedisCache) -> Any:
    """Return the store's client, made once: it reads Redis's list of commands, which takes longer than the trip."""
    client = _clients.get(store)
    if client is None:
        client = _clients[store] = store._cache.get_client(write=True)  # noqa: SLF001 - the server that writes go to
    return client


def _increase_alone(key: str, number: int, seconds: int) -> int:
    """Do what `_increase` does in a cache that cannot count by itself: one process and thread at a time."""
    with (Path(settings.VAR_DIR) / "limits.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        counted: int = cache.get(key, 0) + number
        cache.set(key, counted, timeout=seconds)
        return counted


@dataclass(frozen=True)
class Limit:
    """A limit of `most` in each window of `seconds`, for one address or one given name."""

    name: str
    most: int
    seconds: int

    def _key(self, who: HttpRequest | str) -> str:
        name = who if isinstance(who, str) else client_address(who)
        window = int(time.time() // self.seconds)
        return f"limit:{self.name}:{window}:{hashlib.sha256(name.encode()).hexdigest()[:24]}"

    def count(self, who: HttpRequest | str) -> int:
        """Count one more; return how many there are now."""
        return self._add(who, 1)

    def forgive(self, who: HttpRequest | str) -> None:
        """Count one less, because what was counted in advance has turned out well."""
        self._add(who, -1)

    def _add(self, who: HttpRequest | str, number: int) -> int:
        return _or_none_yet(lambda: _increase(self._key(who), number, self.seconds))

    def wait(self, who: HttpRequest | str) -> int:
        """Return the seconds until the caller may come again; 0 if it may now."""
        counted = _or_none_yet(lambda: cache.get(self._key(who), 0))
        return self._until_next_window() if counted >= self.most else 0

    def hit(self, who: HttpRequest | str) -> int:
        """Count one; return the seconds to wait, 0 if this one is within the limit.

        Counting comes first, so that requests of the same moment do not all find room for one.
        """
        return self._until_next_window() if self.count(who) > self.most else 0

    def _until_next_window(self) -> int:
        return self.seconds - int(time.time() % self.seconds)


ARRIVALS = Limit("arrivals", 600, 60)
SIGN_INS = Limit("sign-ins", 60, 60)
STAFF_SIGN_INS = Limit("staff-sign-ins", 60, 60)
SIGN_UPS = Limit("sign-ups", 60, 60)
SIGN_IN_LINKS = Limit("sign-in-links", 60, 60)
RESETS = Limit("resets", 60, 60)
# E-mails to an address that somebody typed. The first limit counts requests in one place: on one arrival, else of one
# kind from one network. The second counts e-mails of one kind by one requester, the third all of them that reach the
# mailbox. The last two count only what really goes out: an e-mail for nobody uses up nothing.
EMAILS_ASKED = Limit("emails-asked", 4, 900)
EMAILS_OF_ONE = Limit("emails-of-one", 4, 900)
EMAILS_TO_ONE = Limit("emails-to-one", 6, 900)
# E-mails requested by an owner who is signed in, by kind and the key of the account: strangers cannot use these up.
OWN_EMAILS = Limit("own-emails", 5, 900)
# By the typed address and the network it came from; then by the address alone. Each counter serves one use: what is
# typed here reaches no other's.
FAILED_SIGN_INS = Limit("failed-sign-ins", 10, 900)
FAILED_SIGN_INS_IN_ALL = Limit("failed-sign-ins-in-all", 100, 900)
# By the key of an account whose owner is already signed in.
FAILED_OWN_PASSWORDS = Limit("failed-own-passwords", 10, 900)
BAD_API_KEYS = Limit("bad-api-keys", 60, 60)


def wait_to_write(kind: str, email: str, asked_by: str, *, counts_for_all: bool = True) -> int:
    """Count one e-mail of a kind that `asked_by` sends to `email`; return the seconds to wait, 0 if within limits.

    One requester alone never uses up what may reach the mailbox in all. `counts_for_all` says whether anybody could
    ask.
    """
    what = f"{kind} {email.lower()}"
    wait = EMAILS_OF_ONE.hit(f"{what} {asked_by}")
    return wait or (EMAILS_TO_ONE.hit(what) if counts_for_all else 0)
