"""The wire format: requests, answers, JSON with exact numbers, date-times without a zone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from http import HTTPStatus
from typing import Any

DATE_FORMAT = "%Y-%m-%d %H:%M:%S"
JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """A request; header names are in lower case."""

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Response:
    """An answer. `manner` names a bad way to send it (`manners.send`), and `seconds` its delay."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = ""
    seconds: float = 0.0


class ConnectionDroppedError(Exception):
    """Raised to close the connection without an answer."""


def format_moment(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime(DATE_FORMAT)


def parse_moment(text: str, zone: tzinfo) -> datetime:
    """Parse `YYYY-MM-DD HH:MM:SS` and nothing else. Raises ValueError otherwise."""
    moment = datetime.strptime(text, DATE_FORMAT).replace(tzinfo=zone)
    if moment.strftime(DATE_FORMAT) != text:
        raise ValueError(f"not YYYY-MM-DD HH:MM:SS: {text!r}")
    return moment


def read_json(text: bytes | str) -> Any:
    """Parse JSON with exact decimals. Raises ValueError if it is broken, or holds NaN or Infinity."""
    if isinstance(text, bytes):
        text = text.decode()
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def write_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=_plain).encode()


def plain_number(value: Decimal) -> int | float:
    """Return the number as it stands in an answer: 990 or 990.99."""
    return int(value) if value == value.to_integral_value() else float(value)


def json_response(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(status, write_json(value), JSON_TYPE, headers or {})


def envelope(data: Any, status: int = HTTPStatus.OK, meta: dict[str, Any] | None = None) -> Response:
    """Return the envelope of a successful call (docs/altegio.md, the opening)."""
    return json_response(status, {"success": True, "data": data, "meta": meta or []})


def refusal_envelope(status: int, meta: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return json_response(status, {"success": False, "data": None, "meta": meta}, headers)


def redirect(status: int, address: str) -> Response:
    return Response(status, b"", HTML_TYPE, {"Location": address})


def stringify_numbers(value: Any) -> Any:
    """Return the same answer with its numbers as strings, as seen live."""
    if isinstance(value, dict):
        return {key: stringify_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [stringify_numbers(item) for item in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)
    return value


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
