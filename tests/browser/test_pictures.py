"""The pictures of the README show what exists. `make pictures` renews them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from integrations.backoffice.health import note_heartbeat
from integrations.connections.models import Connection
from sandbox import Sandbox
from tests.browser.two_weeks import TwoWeeks
from tests.working import Work

pytestmark = pytest.mark.django_db(transaction=True)
WIDE, PHONE = (1120, 760), (360, 720)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return their folder: beside the documentation with `make pictures`, otherwise a temporary one."""
    return Path(os.environ.get("PICTURES", tmp_path))


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings, altegio: Sandbox, work: Work) -> str:
    settings.PORTAL_URL = altegio.portal_url = live_server.url
    TwoWeeks(altegio, work).pass_by()
    settings.ALTEGIO_REQUESTS_PER_SECOND, settings.ALTEGIO_REQUESTS_PER_MINUTE = 5, 200
    User.objects.create_superuser("anna@partner.example", "correct horse")
    return str(live_server.url)


def take(page: Page, folder: Path, name: str, size: tuple[int, int]) -> None:
    """Take a picture in light and one in dark mode."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.screenshot(path=folder / f"{name}-{scheme}.png", animations="disabled", scale="css")
        assert (folder / f"{name}-{scheme}.png").stat().st_size > 5_000


def sign_in(page: Page, portal: str) -> None:
    page.goto(f"{portal}/admin/")
    page.locator("#id_username").fill("anna@partner.example")
    page.locator("#id_password").fill("correct horse")
    page.locator("input[type=submit]").click()


def test_the_pictures(page: Page, portal: str, pictures: Path, altegio: Sandbox, work: Work, client: Client) -> None:
    staff_see(page, portal, pictures)
    an_owner_sees(page, pictures, altegio, work)
    an_owner_has(page, portal, pictures, client)


def staff_see(page: Page, portal: str, pictures: Path) -> None:
    """Take the pictures of the control room."""
    sign_in(page, portal)
    note_heartbeat()
    page.reload()
    expect(page.get_by_role("heading", name="Running out of time")).to_be_visible()
    expect(page.get_by_text("No worker has given a sign of life")).to_have_count(0)
    take(page, pictures, "control-room", WIDE)

    late = Connection.objects.get(state="granted")
    page.goto(f"{portal}/admin/connections/connection/{late.pk}/change/")
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    take(page, pictures, "case", WIDE)


def an_owner_sees(page: Page, pictures: Path, altegio: Sandbox, work: Callable[[], None]) -> None:
    """Take the pictures of the status page, from the arrival to the end."""
    places = [10403, 10404]
    altegio.grant(places, user_id=9005)
    page.goto(altegio.arrival_url(places, user_id=9005))
    expect(page.get_by_role("heading", name="Connecting…")).to_be_visible()
    work()
    expect(page.get_by_role("heading", name="All 2 locations are connected")).to_be_visible()
    page.reload()
    take(page, pictures, "connected", PHONE)


def an_owner_has(page: Page, portal: str, pictures: Path, client: Client) -> None:
    """Take the pictures of the owner's own pages."""
    client.force_login(User.objects.get(email="balint@napfeny.example"))
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": portal}])
    page.goto(f"{portal}/account/")
    expect(page.get_by_role("heading", name="Your locations")).to_be_visible()
    take(page, pictures, "account", WIDE)
