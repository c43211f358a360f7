"""A connection's page is shown whole in a real browser, unfolds its evidence and keeps to the strict policy."""

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from integrations.connections.models import Connection
from integrations.sender_names.names import give_name, names_of
from sandbox import Sandbox
from tests.browser.eyes import pixels_too_wide
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> str:
    settings.PORTAL_URL = live_server.url
    return live_server.url


@pytest.fixture
def case(client: Client, altegio: Sandbox, work: Work) -> Connection:
    """Return a location whose sender names were refused."""
    arrive(client, altegio, AURORA_1)
    work()
    case = Connection.objects.get()
    body = {"success": False, "meta": {"message": "Wrong name"}}
    altegio.fault("error", "short_names", remaining=9, status=422, body=body)
    give_name(names_of(case), "Aurora")
    work()
    return case


@pytest.fixture
def staff_page(page: Page, portal: str) -> Page:
    User.objects.create_superuser("anna@partner.example", "correct horse")
    page.goto(f"{portal}/admin/")
    page.locator("#id_username").fill("anna@partner.example")
    page.locator("#id_password").fill("correct horse")
    page.locator("input[type=submit]").click()
    return page


@pytest.mark.parametrize("width", [1280, 390])
def test_the_case_is_read_whole(staff_page: Page, portal: str, case: Connection, width: int) -> None:
    staff_page.set_viewport_size({"width": width, "height": 900})
    staff_page.goto(f"{portal}{reverse('admin:connections_connection_change', args=[case.pk])}")
    expect(staff_page.get_by_role("button", name="Send the list again")).to_be_visible()
    evidence = staff_page.locator("details.evidence").first
    expect(evidence.locator("pre").first).to_be_hidden()
    evidence.locator("summary").click()
    expect(evidence.locator("pre").first).to_be_visible()
    assert pixels_too_wide(staff_page) == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_an_unsuccessful_search_suggests_similar_cases(
    staff_page: Page, portal: str, case: Connection, width: int
) -> None:
    staff_page.set_viewport_size({"width": width, "height": 900})
    staff_page.goto(f"{portal}/admin/connections/connection/?q=anna@")
    expect(staff_page.get_by_role("heading", name="No connection is found")).to_be_visible()
    expect(staff_page.get_by_role("link", name="anna@partner.example")).not_to_have_count(0)
    assert pixels_too_wide(staff_page) == 0
