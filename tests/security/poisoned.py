"""A database in which every text that somebody else may have written attacks its readers."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from django.db import models
from django.utils import timezone

MARKUP = "\"'><xss onload=x>"
ADDRESS = "javascript:xss()"
# Texts that the portal itself writes: names of its own kinds and states, keys, hashes.
OWN = frozenset(
    {
        "claim", "digest", "flag", "hashed_key", "id", "key", "kind", "lane", "language",
        "object_id", "outcome", "params", "password", "prefix", "scopes", "slug", "state", "status", "template",
        "payload", "trigger",
    }
)  # fmt: skip
# Staff write a brand's color and addresses and the cabinet's, which are checked then: nobody else can.
KNOWN = {
    "kind": "activate",
    "currency": "EUR",
    "currency_iso": "EUR",
    "brand_color": "#1f5c99",
    "brand_support_url": "https://partner.example/1",
    "brand_terms_url": "https://partner.example/2",
    "brand_privacy_url": "https://partner.example/3",
    "handover_url": "https://cabinet.example/",
}
REACHED = frozenset({"reviewed_at", "telephony_since", "activated_at", "paid_until"})


class Poisoned:
    """A maker of one row of a model and of all that it refers to, whose foreign texts are all `text`."""

    def __init__(self, text: str, **given: dict[str, Any]) -> None:
        self.text, self.given = text, given
        self.rows: dict[type[models.Model], models.Model] = {}

    def row(self, model: type[models.Model]) -> models.Model:
        """Return the one row of `model`."""
        model = model._meta.concrete_model or model
        if model not in self.rows:
            given = self.given.get(model.__name__, {})
            values = {
                field.name: given[field.name] if field.name in given else self._value(field)
                for field in model._meta.concrete_fields
                if not isinstance(field, models.AutoField)
            }
            self.rows[model] = model._default_manager.create(**values)
        return self.rows[model]

    def _value(self, field: models.Field[Any, Any]) -> Any:
        if field.primary_key:
            return "a.key"
        if isinstance(field, models.ForeignKey | models.OneToOneField):
            return self.row(field.related_model)
        if isinstance(field, models.DateTimeField):
            return timezone.now() if not field.null or field.name in REACHED else None
        if isinstance(field, models.DateField):
            return dt.datetime.now(dt.UTC).date()
        if field.name == "warnings":
            return [{"field": self.text, "message": self.text}]
        if field.choices:
            return next(iter(field.choices))[0]
        if field.name in KNOWN:
            return KNOWN[field.name]
        if field.has_default() and (field.name in OWN or not isinstance(field, models.CharField | models.TextField)):
            return field.get_default()
        return self._text(field) if isinstance(field, models.CharField | models.TextField) else _number(field)

    def _text(self, field: models.Field[Any, Any]) -> str:
        if field.name in OWN:
            return ""
        if isinstance(field, models.EmailField):
            return f"{self.text}@evil.example"
        return self.text[: field.max_length]


def _number(field: models.Field[Any, Any]) -> Any:
    if isinstance(field, models.BinaryField):
        return b"poison"
    if isinstance(field, models.JSONField):
        return [10101]
    return Decimal(1) if isinstance(field, models.DecimalField) else 1


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += list(_dangers(tag, attrs))


def _dangers(tag: str, attrs: list[tuple[str, str | None]]) -> Iterator[str]:
    if tag == "xss":
        yield f"<{tag}>"
    for name, value in attrs:
        if name.startswith("on") or ((value or "").strip().lower().startswith("javascript:") and name in LEADS):
            yield f"<{tag} {name}={value!r}>"


LEADS = ("href", "src", "action", "formaction", "content", "data", "xlink:href")


def dangers(html: str) -> list[str]:
    """Return what would run on a page: foreign elements, handlers, and addresses that are scripts."""
    reader = _Reader()
    reader.feed(html)
    return reader.found
