"""A brand works under the pages' own policy: its color is readable, its logo drawn, and nothing of it runs."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from partner_portal.core.brand import Brand
from partner_portal.core.colors import READABLE, contrast
from partner_portal.core.logos import read_logo

pytestmark = pytest.mark.django_db(transaction=True)
LOGO = read_logo(
    b'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><script>document.title = "run"</script></svg>'
)


def color_of(element: Locator, name: str) -> str:
    """Return a computed color as #rrggbb."""
    found = element.evaluate("(node, name) => getComputedStyle(node)[name]", name)
    return "#" + "".join(f"{int(channel):02x}" for channel in re.findall(r"\d+", found)[:3])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("color", ["#ffee00", "#101030", "#ffffff"])
def test_words_on_the_color_and_links_of_its_shade_are_read(
    page: Page, live_server: LiveServer, settings: Settings, scheme: str, color: str
) -> None:
    settings.BRAND = Brand(name="Bluebird SMS", color=color)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{live_server.url}/account/sign-in/")
    button, link, card = page.get_by_role("button", name="Sign in"), page.locator(".after a"), page.locator(".card")
    assert color_of(button, "backgroundColor") == color
    assert contrast(color_of(button, "color"), color) >= READABLE
    assert contrast(color_of(link, "color"), color_of(card, "backgroundColor")) >= READABLE


def test_a_logo_is_drawn_and_an_svg_opened_by_itself_runs_nothing(
    page: Page, live_server: LiveServer, settings: Settings
) -> None:
    settings.BRAND, settings.BRAND_LOGO = Brand(name="Bluebird SMS", logo=LOGO.name), LOGO
    page.goto(f"{live_server.url}/account/sign-in/")
    assert page.locator(".brand img").evaluate("image => image.naturalWidth") == 32
    expect(page).to_have_title("Sign in")
    opened = page.context.new_page()
    opened.goto(f"{live_server.url}{settings.BRAND.logo_path}")
    assert opened.title() == ""
