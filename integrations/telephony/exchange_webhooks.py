"""Webhooks of exchanges that send what they send: JSON or a form, read by a mapping that staff have set."""

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
# What else exchanges write in. Python knows encodings that are none of texts, or slow.
_OTHERS = ("utf-16", "cp125", "iso8859", "koi8")
FINDS_NONE = _(
    "The mapping of the webhook {name} finds none in what came. Compare them in the admin: Webhooks of exchanges, "
    "“Try it on”."
)


def read_webhook_body(body: bytes, charset: str = UTF8) -> Any:
    """The JSON value or the form in a body, however it is announced. Raises InvalidJsonError for what is neither.

    No call is lost for a letter: what is not UTF-8 is read in `charset`, and what is not that either is replaced.
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
    """The fields of a form; one without a value is empty."""
    if "=" not in text:
        raise ValueError("No field is in it.")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except UnicodeDecodeError:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, encoding=_known(charset))


def _in_parts(text: str) -> list[tuple[str, str]]:
    """The fields of `multipart/form-data`, whose first line names its boundary; files are passed over."""
    body, boundary = text.encode(), text.split("\n", 1)[0].strip().removeprefix("--")
    meta = {"CONTENT_TYPE": f"multipart/form-data; boundary={boundary}", "CONTENT_LENGTH": len(body)}
    fields, _files = MultiPartParser(meta, BytesIO(body), []).parse()
    if not fields:
        raise ValueError("No field is in it.")
    return [(name, value) for name, values in fields.lists() for value in values]


def mapped_body(webhook: ExchangeWebhook, body: bytes, charset: str = UTF8) -> dict[str, Any]:
    """Our fields in a body of this exchange's. Raises InvalidJsonError."""
    mapped = apply_mapping(webhook.mapping, read_webhook_body(body, charset))
    if webhook.location is not None:
        mapped["salon_id"] = webhook.location.altegio_id
    return mapped


def point_to_mapping(
    webhook: ExchangeWebhook, mapped: Mapping[str, Any], problems: Mapping[str, Any]
) -> dict[str, Any]:
    """What was wrong with a mapped call; of a field that is missing, also that the mapping led to none."""
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
    """PHP's way to put objects into a form: `call[from]`, `call[legs][0][user]`; any other name is one step."""
    first, *others = name.split("[")
    is_nested = first and len(others) <= MAX_STEPS and all(len(step) > 1 and step[-1] == "]" for step in others)
    return [first, *(step[:-1] for step in others)] if is_nested else [name]
