"""On every page and in every e-mail everything but data is in the owner's language."""

import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.test.signals import template_rendered
from django.utils import translation

from partner_portal.core import catalogs
from tests.i18n.gallery import DATA, Gallery
from tests.i18n.visible import visible_texts, words

pytestmark = pytest.mark.django_db
# These names and abbreviations are the same in every language.
EVERYWHERE = frozenset({"SMS", "UTC", "JSON", "cookie", "EUR", "altegio", "ag", "example", "com", "localhost"})
# These English words are also Portuguese or Hungarian, and stand alone.
SAME = {"pt": {"E-mail", "e-mail"}, "hu": set()}


def shown_in(language: str) -> dict[str, list[str]]:
    """Return the texts of every page and e-mail; the database is left as before."""
    with transaction.atomic(), translation.override("en"):
        shown = {item.name: visible_texts(item.text) for item in Gallery(language).everything()}
        transaction.set_rollback(True)
    return shown


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_no_latin_word_stands_on_a_cyrillic_page(language: str) -> None:
    latin = re.compile(r"[A-Za-z]{2,}")
    foreign = {
        (name, text)
        for name, texts in shown_in(language).items()
        for text in texts
        for word in words(text, DATA)
        if latin.fullmatch(word) and word not in EVERYWHERE
    }
    assert foreign == set()


@pytest.mark.parametrize("language", ["pt", "hu"])
def test_no_translation_equals_its_english_text(language: str) -> None:
    def own(text: str) -> str:
        return " ".join(word for word in words(text, DATA) if word not in EVERYWHERE)

    english = {own(text) for texts in shown_in("en").values() for text in texts}
    foreign = {
        (name, text)
        for name, texts in shown_in(language).items()
        for text in texts
        if own(text) and own(text) in english and text not in SAME[language]
    }
    assert foreign == set()


def test_every_template_of_an_owner_was_looked_at() -> None:
    seen: set[str] = set()

    def note(template: Any, **_: Any) -> None:
        seen.add(template.name)

    template_rendered.connect(note)
    shown_in("en")
    template_rendered.disconnect(note)
    templates = {
        str(file.relative_to(catalogs.ROOT / "templates"))
        for file in catalogs.owners_files()
        if catalogs.ROOT / "templates" in file.parents
    }
    assert templates - seen == set()


@pytest.mark.parametrize("language", ["en", *catalogs.LANGUAGES])
def test_a_page_says_which_language_it_is_in(client: Client, language: str) -> None:
    for path in ("/account/sign-in/", "/connect/?salon_id=7", "/nowhere/"):
        answer = client.get(path, headers={"Accept-Language": language})
        assert answer["Content-Language"] == language
        assert f'<html lang="{language}">' in answer.content.decode()
        assert "Accept-Language" in answer["Vary"]
