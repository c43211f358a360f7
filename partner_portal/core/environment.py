"""Reading the environment: a value that is no value of its kind stops the start, and is never taken for another.

What is meant by `STAFF_TWO_FACTOR=ja` or `RETENTION_CALLS_DAYS=-1` cannot be known, and each guess does harm.
"""

import math
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"true", "on", "ok", "y", "yes", "1"})
FALSE = frozenset({"false", "off", "n", "no", "0"})
# A hundred years, in days or in seconds: no moment that is counted from now lies outside what can be written.
MAX_DAYS = 36_500
MAX_SECONDS = MAX_DAYS * 24 * 3600


class Environment(environ.Env):  # type: ignore[misc] # it has no types
    """The variables by their names. Each method here raises ImproperlyConfigured with the name and what to write."""

    def flag(self, name: str, *, default: bool) -> bool:
        """Yes or no, in the usual words."""
        word = self._written(name).lower()
        if word and word not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{name}: {word!r} is neither true nor false.")
        return word in TRUE if word else default

    def one_of(self, name: str, words: tuple[str, ...], *, default: str) -> str:
        """One of these words, in capitals or not."""
        word = self._written(name).upper() or default
        if word not in words:
            raise ImproperlyConfigured(f"{name}: write {', '.join(words[:-1])} or {words[-1]}, not {word!r}.")
        return word

    def mail_server(self, name: str, *, default: str) -> dict[str, Any]:
        """Django's settings of the mail server at an address; `smtps` is read as STARTTLS by the library."""
        if self._written(name).lower().startswith("smtps:"):
            raise ImproperlyConfigured(
                f"{name}: write smtp+ssl:// where the server speaks TLS from the first byte (port 465), smtp+tls:// "
                "where it begins in clear (port 587); smtps:// may mean either."
            )
        config: dict[str, Any] = self.email_url(name, default=default)
        return config

    def whole(self, name: str, *, default: Any, at_least: int = 0, at_most: int = MAX_SECONDS) -> Any:
        """A whole number in the range, in ASCII digits."""
        text = self._written(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and at_least <= int(text) <= at_most):
            raise ImproperlyConfigured(f"{name}: write a whole number from {at_least} to {at_most}, not {text!r}.")
        return int(text)

    def days(self, name: str, *, default: int, at_least: int = 0) -> int:
        """A number of days, at most a hundred years."""
        number: int = self.whole(name, default=default, at_least=at_least, at_most=MAX_DAYS)
        return number

    def number(self, name: str, *, default: float, at_least: float = 0, at_most: float = MAX_SECONDS) -> float:
        """A number in the range."""
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
