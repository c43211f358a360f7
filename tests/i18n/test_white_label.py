"""No page or e-mail of owners shows the portal behind the partner, or links to nothing."""

import re
from dataclasses import replace

import pytest
from django.db import transaction
from django.utils import translation

from partner_portal.core.brand import Brand
from tests.i18n.gallery import BLUEBIRD, Gallery, Shown
from tests.i18n.visible import visible_texts

pytestmark = pytest.mark.django_db
# Forbidden are the portal's own name, an application's number, and a sentence that needs a missing address.
NEVER = re.compile(r"partner portal|our portal|#\d+|(write to|contact|tell) (us|our support)\b", re.IGNORECASE)
ONLY_A_NAME = Brand(name="Bluebird SMS")


def shown_to_owners(brand: Brand) -> list[Shown]:
    """Return every page and e-mail of an application without a name; the database is left as before."""
    with transaction.atomic(), translation.override("en"):
        gallery = Gallery("en")
        gallery.application.name = ""
        gallery.application.save()
        shown = list(gallery.everything(brand))
        transaction.set_rollback(True)
    return shown


@pytest.mark.parametrize("brand", [BLUEBIRD, ONLY_A_NAME])
def test_the_portal_itself_is_never_shown(brand: Brand) -> None:
    wrong = {
        (item.name, text)
        for item in shown_to_owners(brand)
        for text in visible_texts(item.text)
        if NEVER.search(text)
    }
    assert wrong == set()


def test_every_page_and_email_names_the_partner_and_its_help() -> None:
    wanted = (BLUEBIRD.name, BLUEBIRD.support_email, BLUEBIRD.support_url, BLUEBIRD.terms_url, BLUEBIRD.privacy_url)
    missing = {
        (item.name, part)
        for item in shown_to_owners(BLUEBIRD)
        if not item.name.endswith(", subject")
        for part in wanted
        if part not in item.text
    }
    assert missing == set()


def test_without_addresses_no_sentence_or_link_needs_one() -> None:
    shown = shown_to_owners(ONLY_A_NAME)
    assert [item.name for item in shown if "mailto:" in item.text or "brand-links" in item.text] == []
    assert [item.name for item in shown if re.search(r"write to\b", item.text, re.IGNORECASE)] == []


def test_the_color_changes_no_inline_style_of_a_page() -> None:
    pages = [item for item in shown_to_owners(replace(BLUEBIRD, color="#101030")) if "<html" in item.text]
    assert [page.name for page in pages if " style=" in page.text and not page.name.startswith("e-mail")] == []
