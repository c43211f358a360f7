"""Money, dates and numbers are written as each language writes them."""

import ast
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from partner_portal.core import formats

AFTERNOON = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)


def plain(text: str) -> str:
    """Return the text with ordinary spaces, so that the expectation is readable."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "€1,234.50"),
        ("ru", "1 234,50 €"),
        ("uk", "1 234,50 EUR"),
        ("pt", "1 234,50 €"),
        ("hu", "1 234,50 EUR"),
    ],
)
def test_money_stands_where_the_language_puts_it(language: str, expected: str) -> None:
    with translation.override(language):
        assert plain(formats.money(Decimal("1234.5"), "EUR")) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1234", "JPY", "JP¥1,234"),
        ("1.5", "KWD", "KWD 1.500"),
        ("0", "EUR", "€0.00"),
        ("990.9900", "GBP", "£990.99"),
        ("7.25", "XYZ", "XYZ 7.25"),
    ],
)
def test_money_has_the_decimals_of_its_currency(amount: str, currency: str, expected: str) -> None:
    assert plain(formats.money(Decimal(amount), currency)) == expected


@pytest.mark.parametrize("code", ["HUF", "UAH", "RUB", "BRL", "KZT", "USD"])
@pytest.mark.parametrize("language", ["en", "ru", "uk", "pt", "hu"])
def test_no_currency_clings_to_its_number_as_a_bare_code(language: str, code: str) -> None:
    with translation.override(language):
        shown = formats.money(Decimal(5), code)
    assert not re.search(rf"{code}\d|\d{code}", shown)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "21 November 2026, 13:05 UTC"),
        ("ru", "21 ноября 2026 г., 13:05 UTC"),
        ("uk", "21 листопада 2026 р., 13:05 UTC"),
        ("pt", "21 de novembro de 2026, 13:05 UTC"),
        ("hu", "2026. november 21. 13:05 UTC"),
    ],
)
def test_a_moment_names_its_zone(language: str, expected: str) -> None:
    with translation.override(language):
        assert plain(formats.moment(AFTERNOON)) == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Budapest", "21 November 2026, 14:05 UTC+1"),
        ("America/Sao_Paulo", "21 November 2026, 10:05 UTC−3"),
        ("Asia/Kolkata", "21 November 2026, 18:35 UTC+5:30"),
        ("Asia/Tokyo", "21 November 2026, 22:05 UTC+9"),
        ("Nowhere/Town", "21 November 2026, 13:05 UTC"),
        ("../etc", "21 November 2026, 13:05 UTC"),
    ],
)
def test_a_moment_is_written_in_the_locations_zone(zone: str, expected: str) -> None:
    assert plain(formats.moment(AFTERNOON, zone)) == expected


def test_without_a_location_the_current_zone_counts() -> None:
    with timezone.override("Asia/Tokyo"):
        assert plain(formats.moment(datetime(2026, 11, 21, 23, 0, tzinfo=UTC))) == "22 November 2026, 08:00 UTC+9"
        assert formats.day(datetime(2026, 11, 21, 23, 0, tzinfo=UTC)) == "22 November 2026"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "5,000"), ("ru", "5 000"), ("uk", "5 000"), ("pt", "5 000"), ("hu", "5 000")],
)
def test_a_number_has_the_languages_separator(language: str, expected: str) -> None:
    with translation.override(language):
        assert plain(formats.number(5000)) == expected


def test_templates_have_them_as_filters() -> None:
    page = Template(
        "{% load formats %}{{ sum|money:'EUR' }} · {{ when|day }} · {{ at|moment:'' }} · {{ count|number }}"
    )
    context = Context({"sum": Decimal(7), "when": date(2026, 1, 2), "at": AFTERNOON, "count": 1200})
    assert plain(page.render(context)) == "€7.00 · 2 January 2026 · 21 November 2026, 13:05 UTC · 1,200"


def test_values_are_formatted_before_they_are_escaped() -> None:
    """`format_html("{:%Y}", moment)` raises ValueError, for which the admin shows a dash."""
    folders = ("accounts", "billing", "integrations", "partner_portal")
    late = re.compile(r"\{\w*[:!]")
    wrong = [
        f"{path}:{call.lineno}"
        for folder in folders
        for path in Path(folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "").startswith("format_html")
        if any(late.search(str(part.value)) for part in call.args if isinstance(part, ast.Constant))
    ]
    assert wrong == []


def test_the_filters_turn_nothing_into_nothing() -> None:
    page = Template("{% load formats %}{{ a|money:'EUR' }}{{ a|day }}{{ a|moment }}{{ a|number }}")
    assert page.render(Context({"a": None})) == ""
