"""Fixtures: one busy portal for all errands; each errand concerns a location or a person of its own."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.utils import override_settings
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import User
from sandbox import Sandbox
from tests.browser.errands.busy_portal import BusyPortal
from tests.browser.errands.clicks import Clicks


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/errands" in str(item.fspath):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="package")
def portal(django_db_setup: None, django_db_blocker: DjangoDbBlocker, _sandbox: Sandbox) -> Iterator[BusyPortal]:
    """Start the portal for as long as errands run on it."""
    _sandbox.reset()
    _sandbox.configure(callbacks_enabled=False)
    with django_db_blocker.unblock():
        server = LiveServer("localhost")
        _sandbox.portal_url = server.url
        here = override_settings(
            PORTAL_URL=server.url,
            ALLOWED_HOSTS=["localhost", "testserver"],
            ALTEGIO_APP_URL=_sandbox.app_url,
            ALTEGIO_API_URL=_sandbox.api_url,
            ALTEGIO_REQUESTS_PER_SECOND=100_000,
            ALTEGIO_REQUESTS_PER_MINUTE=100_000,
            ALTEGIO_SETTLING_SECONDS=0,
            CACHES={"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid.uuid4().hex}},
        )
        with here:
            yield BusyPortal(_sandbox, server.url)
        server.stop()
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def _django_db_helper(portal: BusyPortal) -> None:
    """Keep the portal's database as an errand leaves it; pytest-django would empty it after each test."""


@pytest.fixture
def signed_in(page: Page, portal: BusyPortal) -> Callable[[User], Clicks]:
    """Return a function that signs a person in and returns their clicks, on their first page."""

    def open_first_page(person: User) -> Clicks:
        client = Client()
        client.force_login(person)
        page.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": portal.url}]
        )
        page.goto(f"{portal.url}{'/admin/' if person.is_staff else '/account/'}")
        return Clicks(page)

    return open_first_page
