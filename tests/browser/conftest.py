"""Fixtures: a real Chromium on a real server, with the portal on localhost and Altegio's host page on another site.

`localhost` and `127.0.0.1` are two sites to a browser, and this Chromium blocks third-party cookies, as owners'
browsers do.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, expect, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from integrations.outbox.dispatcher import dispatch_due
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--test-third-party-cookie-phaseout",
]  # fmt: skip
# Milliseconds. A busy machine may take longer than what Playwright gives by default, 5 s and 30 s.
PATIENCE = 90_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.fspath):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.fixture(scope="package")
def _browser() -> Iterator[Browser]:
    # Playwright runs an event loop in this thread; Django's guard against that does not apply to it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def _is_ours(message: ConsoleMessage) -> bool:
    """Return whether an error is a page's own, and not the browser's note on a frame that was rightly refused."""
    return message.type == "error" and "frame-ancestors" not in message.text


@pytest.fixture
def page(_browser: Browser) -> Iterator[Page]:
    """Open a fresh browser window; an error on its console fails the test."""
    context = _browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if _is_ours(message) else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def portal(live_server: LiveServer, altegio: Sandbox, settings: Settings) -> str:
    """Start the portal on `localhost`, where Altegio's pages on `127.0.0.1` may frame it."""
    address = live_server.url.replace("127.0.0.1", "localhost")
    settings.PORTAL_URL = address
    altegio.portal_url = address
    return address


@pytest.fixture
def worker(portal: str) -> Iterator[None]:
    """Run a worker beside the server for as long as the test runs."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.1):
            dispatch_due()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


@pytest.fixture
def settings_tab(page: Page, altegio: Sandbox, portal: str, settings: Settings) -> Callable[..., FrameLocator]:
    """Return a function that opens the location's Settings tab at Altegio and returns the portal's frame in it."""
    settings.ALTEGIO_FRAME_ANCESTORS = [altegio.app_url]
    settings.ALTEGIO_APP_URL = altegio.app_url

    def open_tab(query: str = "") -> FrameLocator:
        altegio.grant(AURORA_1, user_id=EMMA)
        page.goto(f"{altegio.app_url}/frame/{AURORA_1}/1/{query}")
        return page.frame_locator("iframe")

    return open_tab
