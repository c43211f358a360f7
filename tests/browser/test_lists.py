"""Every list of the control room fits a laptop, and shows its rows as cards on a phone."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import ApiKey, User
from integrations.connections.models import Location
from tests.planting import give_calls
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db(transaction=True)
WIDTHS = (1440, 1280, 390)
LONG = "Aurora Hair and Beauty https://studio.aurora.example/independence-square"


@pytest.fixture
def portal(live_server: LiveServer, page: Page) -> str:
    """Return the control room's address; a member of staff with every right is signed in."""
    client = Client()
    client.force_login(User.objects.create_superuser("anna@partner.example"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # Playwright's type of a cookie is private
    return str(live_server.url)


def lists() -> list[str]:
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]


def fill() -> None:
    """Make a row for every list, with texts as long as they come."""
    rows = Poisoned(LONG, Application={"kind": "sms", "altegio_id": 1}, Connection={"state": "active"})
    for model in admin.site._registry:
        rows.row(model)
    give_calls()


def cut_off(page: Page) -> int:
    """Return by how many pixels the page, or the list in it, is too wide."""
    return int(
        page.evaluate(
            """() => Math.max(document.documentElement.scrollWidth - innerWidth,
                ...[...document.querySelectorAll(".results, .results td, .results th")]
                    .map(each => each.scrollWidth - each.clientWidth - 1), 0)"""
        )
    )


def test_no_list_is_cut_off(page: Page, portal: str) -> None:
    fill()
    found = {}
    for address in lists():
        page.goto(f"{portal}{address}")
        expect(page.locator("#result_list tbody tr").first).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if too_wide := cut_off(page):
                found[f"{address} at {width}"] = too_wide
    assert found == {}


# These words fit on any line, and yet stand on two.
BROKEN = r"""() => {
    const found = [], WORD = /[\p{L}\p{N}]{2,14}(?![\p{L}\p{N}])/gu;
    const walker = document.createTreeWalker(document.querySelector("#result_list tbody"), NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (walker.nextNode())
        for (const { 0: word, index } of walker.currentNode.data.matchAll(WORD)) {
            range.setStart(walker.currentNode, index);
            range.setEnd(walker.currentNode, index + word.length);
            if (new Set([...range.getClientRects()].map((each) => each.top)).size > 1) found.push(word);
        }
    return found;
}"""


def test_no_word_is_broken_inside(page: Page, portal: str) -> None:
    fill()
    User.objects.create_user("priya.shah.9131@salons.example", name="Priya Shah", phone="441614961913")
    found = {}
    for address in lists():
        page.goto(f"{portal}{address}")
        expect(page.locator("#result_list tbody tr").first).to_be_visible()
        for width in WIDTHS[:2]:
            page.set_viewport_size({"width": width, "height": 900})
            if broken := page.evaluate(BROKEN):
                found[f"{address} at {width}"] = broken
    assert found == {}


def test_a_key_is_shown_once_and_copied_with_a_click(page: Page, portal: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{portal}/admin/accounts/apikey/add/")
    page.get_by_role("textbox", name="Name").fill("billing")
    page.get_by_label("read: ").check()
    page.get_by_role("button", name="Save", exact=True).click()

    shown = page.locator(".new-secret code")
    secret = shown.inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert ApiKey.objects.is_valid(secret)

    page.reload()
    expect(shown).to_have_count(0)


def test_a_list_is_downloaded_and_its_page_says_how_far_it_is(page: Page, portal: str) -> None:
    Location.objects.bulk_create(Location(altegio_id=number, title=f"Salon {number}") for number in range(1, 2501))
    page.goto(f"{portal}/admin/connections/location/?q=Salon")
    page.get_by_role("link", name="Export as CSV").click()
    expect(page.get_by_text("2500 rows")).to_be_visible()
    with page.expect_download() as waited:
        page.get_by_role("button", name="Download").click()
    assert waited.value.suggested_filename.startswith("locations-")
    assert waited.value.path().read_text(encoding="utf-8-sig").count("\n") == 2501
    expect(page.locator("form.export output")).to_have_text("All is handed over: 2,500 rows.")
