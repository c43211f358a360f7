"""Forms and lists of the control room share rules, whatever model they show."""

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from partner_portal.core.admin_cells import word
from tests.admin_urls import admin_url

pytestmark = pytest.mark.django_db


def test_every_label_begins_with_a_capital(staff: Client) -> None:
    small, forms = [], 0
    for model in admin.site._registry:
        page = staff.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
        if page.status_code == 200:
            forms += 1
            labels = re.findall(r"<label[^>]*>\s*([^<]+)", page.content.decode())
            small += [(model, label) for label in labels if label[:1].islower() and label.endswith(":")]
    assert small == []
    assert forms > 5


def test_a_row_that_is_still_to_be_made_shows_nothing_of_itself(staff: Client) -> None:
    page = staff.get(admin_url("webhookendpoint", "add")).content.decode()
    assert "What was sent to it" not in page
    assert 'class="readonly"' not in page


def test_a_column_of_another_row_has_its_own_name(staff: Client) -> None:
    page = staff.get(admin_url("sendernamelist")).content.decode()
    assert "Installation location" not in page


@pytest.mark.parametrize(
    ("state", "label", "tone"),
    [
        ("granted", "waiting for activation", "waiting"),
        ("granted", "granted", "good"),
        ("2", "not delivered", "bad"),
        ("0", "of no known kind", "neutral"),
    ],
)
def test_a_word_has_the_color_of_what_it_says(state: str, label: str, tone: str) -> None:
    assert f'class="word {tone}"' in word(state, label)


def test_a_number_of_the_first_page_says_what_it_counts(staff: Client) -> None:
    page = staff.get(reverse("admin:index")).content.decode()
    assert re.search(r'<a href="[^"]+" aria-label="Frozen: 0">0</a>', page)
