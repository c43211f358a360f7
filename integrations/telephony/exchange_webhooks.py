"""Webhook bodies of exchanges with a format of their own: JSON or a form, translated by a mapping set by staff."""

import codecs
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import SuspiciousOperation
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from integrations.telephony.exchange_mappings import apply_mapping
from integrations.telephony.models import ExchangeWebhook
from partner_portal.core.clean import InvalidJsonError
from partner_portal.core.english import english as _
from partner_portal.core.request_json import marked, parse_leniently

MAX_FIELDS, MAX_STEPS = 500, 10
UTF8 = "utf-8"
# The other accepted encodings. Python also has codecs that are slow or do not encode text, so not all are allowed.
_OTHERS = ("utf-16", "cp125", "iso8859", "koi8")
FINDS_NONE = _(
    "The mapping of the webhook {name} finds none in what came. Compare them in the admin: Webhooks of exchanges, "
    "“Try it on”."
)


def read_webhook_body(body: bytes, charset: str = UTF8) -> Any:
    """Return the JSON value or the form fields in a body, whatever its content type. Raises InvalidJsonError.

    A call is not lost because of one wrong character: a body that is not UTF-8 is decoded as `charset`, and bytes
    that do not fit that either are replaced.
    """
    text = _decoded(body, charset).strip()
    if text.startswith(("{", "[")):
        return parse_leniently(text)
    try:
        return marked(_unfolded(_in_parts(text) if text.startswith("--") else _pairs(text, charset)))
    except (ValueError, MultiPartParserError, SuspiciousOperation):
        raise InvalidJsonError("This is neither a JSON object nor a form.") from None


def _decoded(body: bytes, charset: str) -> str:
    try:
        text = body.decode(UTF8)
    except UnicodeDecodeError:
        text = body.decode(_known(charset), "replace")
    return text.removeprefix("\ufeff")


def _known(charset: str) -> str:
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return UTF8
    return name if name.startswith(_OTHERS) else UTF8


def _pairs(text: str, charset: str) -> list[tuple[str, str]]:
    """Return the fields of a form; a field without a value is an empty string. Raises ValueError if there is none."""
    if "=" not in text:
        raise ValueError("No field is in it.")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except UnicodeDecodeError:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, encoding=_known(charset))


def _in_parts(text: str) -> list[tuple[str, str]]:
    """Return the fields of a `multipart/form-data` body, ignoring files. Raises ValueError if there is none.

    The boundary is taken from the first line.
    """
    body, boundary = text.encode(), text.split("\n", 1)[0].strip().removeprefix("--")
    meta = {"CONTENT_TYPE": f"multipart/form-data; boundary={boundary}", "CONTENT_LENGTH": len(body)}
    fields, _files = MultiPartParser(meta, BytesIO(body), []).parse()
    if not fields:
        raise ValueError("No field is in it.")
    return [(name, value) for name, values in fields.lists() for value in values]


def mapped_body(webhook: ExchangeWebhook, body: bytes, charset: str = UTF8) -> dict[str, Any]:
    """Return the portal's fields from a body that this exchange sent. Raises InvalidJsonError."""
    mapped = apply_mapping(webhook.mapping, read_webhook_body(body, charset))
    if webhook.location is not None:
        mapped["salon_id"] = webhook.location.altegio_id
    return mapped


def point_to_mapping(
    webhook: ExchangeWebhook, mapped: Mapping[str, Any], problems: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the problems of a mapped call; for a missing field, add that the mapping found nothing."""
    found_none = [FINDS_NONE.format(name=webhook.name)]
    return {name: [*why, *(found_none if name not in mapped else [])] for name, why in problems.items()}


def _unfolded(fields: list[tuple[str, str]]) -> dict[str, Any]:
    unfolded: dict[str, Any] = {}
    for name, value in fields:
        steps = _steps(name)
        place = unfolded
        for step in steps[:-1]:
            deeper = place.setdefault(step, {})
            place = deeper if isinstance(deeper, dict) else {}
        place[steps[-1]] = value
    return unfolded


def _steps(name: str) -> list[str]:
    """Split a PHP-style nested field name (`call[from]`, `call[legs][0][user]`); any other name is one step."""
    first, *others = name.split("[")
    is_nested = first and len(others) <= MAX_STEPS and all(len(step) > 1 and step[-1] == "]" for step in others)
    return [first, *(step[:-1] for step in others)] if is_nested else [name]
