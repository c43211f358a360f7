"""Every page passes axe in a real browser and is no wider than the screen.

A new page is checked without being named here. A page that cannot be checked is named below, with the reason.
"""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from integrations.connections.models import ArrivalLocation
from tests.browser.eyes import Eyes
from tests.browser.staffs_pages import StaffsPages
from tests.i18n.gallery import Gallery
from tests.planting import give_calls
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db(transaction=True)
# Elements shared by every page of the control room are checked on its first page only.
FRAME = ("#header", "#nav-sidebar")
TEXT = "Aurora Hair and Beauty, Independence Square"
# These owners' addresses answer with no page of their own.
NOT_A_PAGE = {
    "accounts:download": "a file",
    "accounts:email-keep": "takes a form, and leads on to My data",
    "accounts:language": "takes a form, and leads back",
    "accounts:password-email": "takes a form, and leads on to My data",
    "accounts:sign-out": "takes a form, and leads on to the sign-in",
    "accounts:sign-out-everywhere": "takes a form, and leads on to the sign-in",
    "accounts:unlink": "takes a form, and leads on to My data",
    "billing:payment-link": "takes a form, and leads on to the subscriptions",
    "connect:continue": "takes a form, and leads on to the status page",
    "handover:open": "takes a form, and leads on to the partner's own pages",
    "lifecycle:erase-email": "takes a form, and leads on to My data",
    "telephony:again": "takes a form, and leads on to the list",
}


@pytest.fixture
def staffs(live_server: LiveServer, page: Page) -> StaffsPages:
    """Return the pages of a signed-in member of staff with every right, with a row of every model."""
    person, client = User.objects.create_superuser("anna@partner.example", "correct horse"), Client()
    client.force_login(person)
    rows = Poisoned(
        TEXT,
        User={"is_staff": False, "is_superuser": False, "is_active": True},
        Application={"kind": "sms", "altegio_id": 1},
        Connection={"state": "active"},
        OutgoingCall={"key": "activate:1"},
        BrandLogo={"name": "logo.svg", "content": b"<svg xmlns='http://www.w3.org/2000/svg'/>"},
    )
    for model in admin.site._registry:
        rows.row(model)
    rows.row(ArrivalLocation)
    give_calls()
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # Playwright's type of a cookie is private
    return StaffsPages(person, client)


def test_every_page_of_staff(page: Page, live_server: LiveServer, staffs: StaffsPages) -> None:
    eyes, found = Eyes(page), {}
    for number, address in enumerate(staffs.addresses()):
        answer = page.goto(f"{live_server.url}{address}")
        assert answer, address
        assert answer.status == 200, address
        if findings := eyes.look(1280, 1440, 390, without=FRAME if number else ()):
            found[address] = findings
    assert found == {}


def test_every_question_and_every_complaint_to_staff(
    page: Page, live_server: LiveServer, staffs: StaffsPages
) -> None:
    eyes, found = Eyes(page), {}
    for name, address, html in staffs.answers():
        _open(page, f"{live_server.url}{address}", html)
        if findings := eyes.look(1280, 390, without=FRAME):
            found[name] = findings
    assert found == {}


def test_every_page_of_owners(page: Page, live_server: LiveServer) -> None:
    eyes = Eyes(page)
    page.goto(f"{live_server.url}/account/sign-in/")
    found, views = {}, set()
    for shown in Gallery("en").everything():
        if "portal.css" not in shown.text:
            continue
        views.add(shown.view)
        # Scripts are off, because theirs would call the wrong address.
        page.set_content(re.sub("<script.*?</script>", "", shown.text))
        if findings := eyes.look(320, 1280):
            found[shown.name] = findings
    assert found == {}
    assert set(owners_addresses()) - views == set(NOT_A_PAGE)


def _open(page: Page, address: str, html: str) -> None:
    """Show the answer to a form as if it came from the address that the form was sent to."""
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(address)
    page.unroute(address)


def owners_addresses(patterns: list[URLPattern | URLResolver] | None = None, space: str = "") -> Iterator[str]:
    """Yield the names of all addresses below the owners' pages."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            if space:
                yield f"{space}:{pattern.name}"
        elif space or str(pattern.pattern).startswith(("account/", "connect/")):
            yield from owners_addresses(pattern.url_patterns, pattern.namespace or space)
