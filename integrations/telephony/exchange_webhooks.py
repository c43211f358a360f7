"""Webhooks of exchanges that send what they send: JSON or a form, read by a mapping that staff have set."""

from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import SuspiciousOperation
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from integrations.telephony.exchange_mappings import apply_mapping
from integrations.telephony.models import ExchangeWebhook
from partner_portal.core.clean import InvalidJsonError, utf8
from partner_portal.core.request_json import parse_request

MAX_FIELDS, MAX_STEPS = 500, 10


def read_webhook_body(body: bytes) -> Any:
    """The JSON value or the form in a body, however it is announced. Raises InvalidJsonError for what is neither."""
    text = utf8(body).strip()
    if text.startswith(("{", "[")):
        return parse_request(body, mark=True)
    try:
        if text.startswith("--"):
            return _unfolded(_in_parts(text))
        return _unfolded(parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=MAX_FIELDS))
    except (ValueError, MultiPartParserError, SuspiciousOperation):
        raise InvalidJsonError("This is neither a JSON object nor a form.") from None


def _in_parts(text: str) -> list[tuple[str, str]]:
    """The fields of `multipart/form-data`, whose first line names its boundary; files are passed over."""
    body, boundary = text.encode(), text.split("\n", 1)[0].strip().removeprefix("--")
    meta = {"CONTENT_TYPE": f"multipart/form-data; boundary={boundary}", "CONTENT_LENGTH": len(body)}
    fields, _files = MultiPartParser(meta, BytesIO(body), []).parse()
    if not fields:
        raise ValueError("No field is in it.")
    return [(name, value) for name, values in fields.lists() for value in values]


def mapped_body(webhook: ExchangeWebhook, body: bytes) -> dict[str, Any]:
    """Our fields in a body of this exchange's. Raises InvalidJsonError."""
    mapped = apply_mapping(webhook.mapping, read_webhook_body(body))
    if webhook.location is not None:
        mapped["salon_id"] = webhook.location.altegio_id
    return mapped


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
