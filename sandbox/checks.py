"""Strict parsing of what the partner sends: every field has a type, and an unknown field is an error (422)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sandbox.refusals import RefusalError
from sandbox.wire import parse_moment

T = TypeVar("T")
MISSING = object()
CURRENCY = re.compile(r"[A-Z]{3}")
CYRILLIC = re.compile(r"[\u0400-\u052f]")
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_WEBHOOK_URLS = 10
MAX_SHORT_NAMES = 20


class Fields:
    """A JSON object that is read field by field. It collects the errors, and `finish` refuses with all of them."""

    def __init__(self, body: Any) -> None:
        self.errors: dict[str, list[str]] = {}
        self._body: dict[str, Any] = body if isinstance(body, dict) else {}
        self._read: set[str] = set()
        if not isinstance(body, dict):
            self.wrong("body", "must be a JSON object")

    def wrong(self, name: str, message: str) -> None:
        self.errors.setdefault(name, []).append(message)

    def integer(self, name: str, *, low: int = 1) -> int:
        value = self._required(name)
        if is_integer(value) and value >= low:
            return int(value)
        return self._bad(name, value, f"must be an integer of at least {low}", low)

    def number(self, name: str, *, high: int | None = None) -> Decimal:
        value = self._required(name)
        if is_number(value) and value >= 0 and (high is None or value <= high):
            return Decimal(value)
        limits = "at least 0" if high is None else f"between 0 and {high}"
        return self._bad(name, value, f"must be a number {limits}, not text", Decimal(0))

    def text(self, name: str) -> str:
        value = self._required(name)
        if isinstance(value, str) and value.strip():
            return value
        return self._bad(name, value, "must be a string that is not empty", "")

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self.has(name) else None

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self._required(name)
        if isinstance(value, str) and value in choices:
            return value
        return self._bad(name, value, f"must be one of {', '.join(choices)}", choices[0])

    def boolean(self, name: str) -> bool:
        value = self._required(name)
        return value if isinstance(value, bool) else self._bad(name, value, "must be true or false", False)

    def moment(self, name: str, zone: tzinfo) -> datetime:
        value = self._required(name)
        try:
            return parse_moment(value, zone)
        except (TypeError, ValueError):
            never = datetime(1970, 1, 1, tzinfo=UTC)
            return self._bad(name, value, "must be a date-time YYYY-MM-DD HH:MM:SS", never)

    def currency(self, name: str) -> str:
        value = self._required(name)
        if isinstance(value, str) and CURRENCY.fullmatch(value):
            return value
        return self._bad(name, value, "must be an ISO 4217 code of three letters", "")

    def list_of(self, name: str, check: Callable[[Any], str | None], *, most: int, least: int = 0) -> list[Any]:
        """Return a list of `least` to `most` items. `check` returns what is wrong with an item, or None."""
        value = self._required(name) if least else self._body.get(name, [])
        self._read.add(name)
        if not isinstance(value, list):
            nothing: list[Any] = []
            return self._bad(name, value, "must be a list", nothing)
        if not least <= len(value) <= most:
            self.wrong(name, f"must hold {least} to {most} items, not {len(value)}")
        for index, item in enumerate(value):
            if (problem := check(item)) is not None:
                self.wrong(f"{name}.{index}", problem)
        return value

    def has(self, name: str) -> bool:
        """Return whether an optional field is present; null counts as absent."""
        self._read.add(name)
        return self._body.get(name) is not None

    def finish(self) -> None:
        for name in self._body.keys() - self._read:
            self.wrong(name, "is not a field of this call")
        if self.errors:
            raise RefusalError(422, "invalid", self.errors)

    def _required(self, name: str) -> Any:
        self._read.add(name)
        return self._body.get(name, MISSING)

    def _bad(self, name: str, value: Any, message: str, stand_in: T) -> T:
        self.wrong(name, "is required" if value is MISSING else message)
        return stand_in


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def webhook_url(value: Any) -> str | None:
    """Return what is wrong with an address, or None. It must be https, except on this machine."""
    if not isinstance(value, str):
        return "must be a string"
    parts = urlsplit(value)
    if not parts.hostname:
        return "must be an address with a host"
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS):
        return None
    return "must be an https address"


def channel(value: Any) -> str | None:
    return None if value in ("sms", "whatsapp") else "must be sms or whatsapp"


def short_name(value: Any) -> str | None:
    """Return what is wrong with a sender name, or None (docs/altegio.md §2).

    It has no Cyrillic letters and no "altegio", and is not "ag".
    """
    if not isinstance(value, str) or not value.strip():
        return "must be a string that is not empty"
    if CYRILLIC.search(value):
        return "must not contain Cyrillic letters"
    if "altegio" in value.lower():
        return 'must not contain "altegio"'
    return 'must not be "ag"' if value.lower() == "ag" else None


def location_id(value: Any) -> str | None:
    return None if is_integer(value) and value > 0 else "must be an integer of at least 1"
