"""The control room's first page can be read by everyone, on a phone too, under the strict policy."""

from typing import Literal

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from sandbox import Sandbox
from tests.browser.eyes import has_no_axe_findings, pixels_too_wide
from tests.marketplace import AURORA_1, AURORA_2, arrive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> str:
    settings.PORTAL_URL = live_server.url
    return live_server.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_staff_sign_in_and_find_the_caller(
    page: Page, portal: str, altegio: Sandbox, client: Client, width: int, scheme: Literal["light", "dark"]
) -> None:
    User.objects.create_superuser("anna@partner.example", "correct horse")
    arrive(client, altegio, [AURORA_1, AURORA_2])
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{portal}/admin/")
    page.locator("#id_username").fill("anna@partner.example")
    page.locator("#id_password").fill("correct horse")
    page.locator("input[type=submit]").click()

    expect(page.get_by_role("heading", name="Running out of time")).to_be_visible()
    assert pixels_too_wide(page) == 0
    has_no_axe_findings(page, "#content .panels")

    page.get_by_label("Who is calling?").fill(str(AURORA_1))
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/connections/connection/*/change/")
    expect(page.get_by_text(f"#{AURORA_1}").first).to_be_visible()
