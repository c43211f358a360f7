"""The page of figures shows charts under the strict policy, numbers beside them, within the screen."""

from typing import Literal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from billing.models import MonthlyFigures
from integrations.connections.models import Application
from tests.browser.eyes import has_no_axe_findings, pixels_too_wide

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_the_figures_are_read_by_everyone(
    page: Page, live_server: LiveServer, settings: Settings, width: int, scheme: Literal["light", "dark"]
) -> None:
    settings.PORTAL_URL = live_server.url
    User.objects.create_superuser("anna@partner.example", "correct horse")
    place = {
        "application": Application.objects.create(altegio_id=1, name="Texts for salons").pk,
        "country": "Україна",
        "activated": 20,
        "trials": 20,
        "paid": 5,
        "live": 1_000_000,
        "uninstalled": 10_000,
        "revenue": {"EUR": "123456789.12", "HUF": "1234567890.12", "UAH": "123456789.12"},
        "seconds": [[5, 10], [3600, 10]],
    }
    MonthlyFigures.objects.create(month=timezone.now().date().replace(day=1), places=[place])
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/admin/")
    page.locator("#id_username").fill("anna@partner.example")
    page.locator("#id_password").fill("correct horse")
    page.locator("input[type=submit]").click()
    page.goto(f"{live_server.url}/admin/billing/payment/")
    page.get_by_role("link", name="Figures").click()

    expect(page.get_by_role("heading", name="Monthly recurring revenue")).to_be_visible()
    expect(page.get_by_role("img", name="Churn")).to_be_visible()
    expect(page.get_by_role("cell", name="25.0 %").first).to_be_visible()
    assert pixels_too_wide(page) == 0
    has_no_axe_findings(page, "#content")
