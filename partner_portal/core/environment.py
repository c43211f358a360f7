"""Typed environment variables: an invalid value stops the start and is never replaced by a guess.

Nobody can know what `STAFF_TWO_FACTOR=ja` or `RETENTION_CALLS_DAYS=-1` means, and a wrong guess does harm.
"""

import math
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"true", "on", "ok", "y", "yes", "1"})
FALSE = frozenset({"false", "off", "n", "no", "0"})
# A hundred years, in days and in seconds: a time computed from now never leaves the range of datetime.
MAX_DAYS = 36_500
MAX_SECONDS = MAX_DAYS * 24 * 3600


class Environment(environ.Env):  # type: ignore[misc] # it has no types
    """The environment variables, read by type.

    Each method raises ImproperlyConfigured, which names the variable and says what to write.
    """

    def flag(self, name: str, *, default: bool) -> bool:
        """Return whether the variable is true, in one of the usual words for it; `default` if it is empty."""
        word = self._written(name).lower()
        if word and word not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{name}: {word!r} is neither true nor false.")
        return word in TRUE if word else default

    def one_of(self, name: str, words: tuple[str, ...], *, default: str) -> str:
        """Return the variable, which must be one of the upper-case `words`, in any case; `default` if it is empty."""
        word = self._written(name).upper() or default
        if word not in words:
            raise ImproperlyConfigured(f"{name}: write {', '.join(words[:-1])} or {words[-1]}, not {word!r}.")
        return word

    def mail_server(self, name: str, *, default: str) -> dict[str, Any]:
        """Return Django's settings for the mail server at a URL.

        `smtps` is refused: the library reads it as STARTTLS, though others mean TLS from the first byte by it.
        """
        if self._written(name).lower().startswith("smtps:"):
            raise ImproperlyConfigured(
                f"{name}: write smtp+ssl:// where the server speaks TLS from the first byte (port 465), smtp+tls:// "
                "where it begins in clear (port 587); smtps:// may mean either."
            )
        try:
            config: dict[str, Any] = self.email_url(name, default=default)
        except (ImproperlyConfigured, ValueError):
            raise ImproperlyConfigured(
                f"{name}: write smtp+tls://user:password@host:587 or smtp+ssl://user:password@host:465; in user and "
                "password write %40 for @, %2F for /, %23 for #, %3F for ? and %25 for %."
            ) from None
        return config

    def whole(self, name: str, *, default: Any, at_least: int = 0, at_most: int = MAX_SECONDS) -> Any:
        """Return a whole number in the range, written in ASCII digits; `default` if the variable is empty."""
        text = self._written(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and at_least <= int(text) <= at_most):
            raise ImproperlyConfigured(f"{name}: write a whole number from {at_least} to {at_most}, not {text!r}.")
        return int(text)

    def days(self, name: str, *, default: int, at_least: int = 0) -> int:
        """Return a number of days, at most a hundred years; `default` if the variable is empty."""
        number: int = self.whole(name, default=default, at_least=at_least, at_most=MAX_DAYS)
        return number

    def number(self, name: str, *, default: float, at_least: float = 0, at_most: float = MAX_SECONDS) -> float:
        """Return a number in the range; `default` if the variable is empty."""
        text = self._written(name)
        try:
            number = float(text) if text else default
        except ValueError:
            number = math.nan
        if not at_least <= number <= at_most:
            raise ImproperlyConfigured(f"{name}: write a number from {at_least} to {at_most}, not {text!r}.")
        return number

    def _written(self, name: str) -> str:
        return str(self.ENVIRON.get(name, "")).strip()
