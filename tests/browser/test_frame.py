"""The owner's pages work in Altegio's iframe: a host page on another site, and a browser that keeps
no cookie there.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Frame, FrameLocator, Page, expect

from accounts.models import User
from accounts.proofs import take_over
from integrations.connect import status_views
from integrations.connections.models import Connection
from tests.browser.eyes import has_no_axe_findings
from tests.marketplace import proven_owner

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"


def portals_frame(page: Page) -> Frame:
    return page.frames[1]


def open_account(frame: FrameLocator) -> None:
    frame.get_by_role("link", name="Open your account").click()
    expect(frame.get_by_text("Aurora Covent Garden").first).to_be_visible()


def test_signed_arrival_status_settings_disconnect(
    page: Page, worker: None, settings_tab: Callable[..., FrameLocator]
) -> None:
    frame = settings_tab()
    expect(frame.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    open_account(frame)
    has_no_axe_findings(portals_frame(page))

    frame.get_by_role("link", name="Disconnect").first.click()
    expect(frame.get_by_role("heading", name="Disconnect this location?")).to_be_visible()
    assert Connection.objects.get().state == "active", "it asks once"
    frame.get_by_role("button", name="Yes, disconnect").click()
    expect(frame.locator("[data-salon]").first).to_be_visible()
    _await_state(page, "uninstalled")
    assert page.context.cookies() == []


def _await_state(page: Page, state: str) -> None:
    """Reload the frame's page until the worker has brought the connection into the state."""
    row = page.frame_locator("iframe").locator(f"[data-salon][data-state={state}]")
    for _ in range(50):
        if row.count():
            return
        portals_frame(page).evaluate("window.location.reload()")
        portals_frame(page).wait_for_load_state()
    expect(row).to_be_visible()


def test_sign_up_then_sign_in_status_settings(
    page: Page, worker: None, settings_tab: Callable[..., FrameLocator]
) -> None:
    frame = settings_tab("?anonymous=1")
    sign_up = frame.locator("form[action*='/sign-up/']")
    sign_up.get_by_label("Your name").fill("Emma")
    sign_up.get_by_label("E-mail").fill("emma@aurora.example")
    sign_up.get_by_label("Choose a password").fill(PASSWORD)
    sign_up.get_by_role("button").click()
    expect(frame.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    # The e-mail was opened in another browser with the same password.
    take_over(User.objects.get(), password=PASSWORD)

    sign_in = frame.locator("form[action*='/sign-in/']")
    sign_in.get_by_label("E-mail").fill("emma@aurora.example")
    sign_in.get_by_label("Password").fill(PASSWORD)
    sign_in.get_by_role("button").click()
    expect(frame.get_by_text("You are signed in as emma@aurora.example.")).to_be_visible()
    expect(frame.locator("form[action*='/sign-in/']")).to_have_count(0)
    open_account(frame)
    assert page.context.cookies() == []


def test_sign_in_status_settings(page: Page, worker: None, settings_tab: Callable[..., FrameLocator]) -> None:
    proven_owner("olga@example.com", PASSWORD)
    frame = settings_tab("?anonymous=1")
    sign_in = frame.locator("form[action*='/sign-in/']")
    sign_in.get_by_label("E-mail").fill("olga@example.com")
    sign_in.get_by_label("Password").fill(PASSWORD)
    sign_in.get_by_role("button").click()
    expect(frame.get_by_text("You are signed in as olga@example.com.")).to_be_visible()
    expect(frame.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    open_account(frame)
    assert page.context.cookies() == []


def listen(page: Page) -> None:
    """Count the messages that reach the framed page, and those that it heeds."""
    portals_frame(page).evaluate(
        """() => {
          window.came = window.heeded = 0;
          window.addEventListener("message", () => { window.came += 1; });
          document.addEventListener("host-said", () => { window.heeded += 1; });
        }"""
    )


# The wait is inside the page: `wait_for_function` evaluates text repeatedly, which the page's policy forbids.
CAME_AGAIN = """came => new Promise(done => {
  const look = () => window.came > came ? done() : setTimeout(look, 20);
  look();
})"""


def say(page: Page, message: object) -> int:
    """Send a message from the host page to the frame; return how often the frame has heeded any so far."""
    came = portals_frame(page).evaluate("window.came")
    page.evaluate("message => document.querySelector('iframe').contentWindow.postMessage(message, '*')", message)
    portals_frame(page).evaluate(CAME_AGAIN, came)
    heeded: int = portals_frame(page).evaluate("window.heeded")
    return heeded


def test_altegios_page_is_heeded(page: Page, settings_tab: Callable[..., FrameLocator]) -> None:
    frame = settings_tab()
    expect(frame.get_by_role("heading", name="Connecting…")).to_be_visible()
    listen(page)
    with page.expect_request("**/connect/status/**"):
        assert say(page, {"action": "refresh"}) == 1


def test_messages_that_are_not_altegios_are_ignored(page: Page, settings_tab: Callable[..., FrameLocator]) -> None:
    frame = settings_tab()
    expect(frame.get_by_role("heading", name="Connecting…")).to_be_visible()
    listen(page)
    strange = ["refresh", None, 7, {}, {"action": {"toString": "refresh"}}, ["action"]]
    assert [say(page, message) for message in strange] == [0] * len(strange)


def test_a_hostile_page_around_the_frame_is_not_heeded(
    page: Page, settings_tab: Callable[..., FrameLocator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_views, "host_origins", lambda: "https://app.alteg.io https://*.alteg.io")
    frame = settings_tab()
    expect(frame.get_by_role("heading", name="Connecting…")).to_be_visible()
    listen(page)
    assert say(page, {"action": "refresh"}) == 0


ALTEGIOS = ["https://app.alteg.io", "https://eu.alteg.io"]
STRANGERS = [
    "https://alteg.io",
    "http://app.alteg.io",
    "https://app.alteg.io:8443",
    "https://evilalteg.io",
    "https://app.alteg.io.evil.example",
    "https://evil.example",
    "null",
    "",
]


@pytest.mark.parametrize(("source", "heeded"), [("parent", ALTEGIOS), ("self", [])])
def test_only_altegios_origins_around_the_frame_are_heeded(
    page: Page, settings_tab: Callable[..., FrameLocator], monkeypatch: pytest.MonkeyPatch, source: str, heeded: Any
) -> None:
    monkeypatch.setattr(status_views, "host_origins", lambda: "https://app.alteg.io https://*.alteg.io")
    frame = settings_tab()
    expect(frame.get_by_role("heading", name="Connecting…")).to_be_visible()
    found = portals_frame(page).evaluate(
        """([origins, source]) => origins.filter((origin) => {
          let heeded = false;
          document.addEventListener("host-said", () => { heeded = true; }, { once: true });
          const data = { action: "refresh" };
          window.dispatchEvent(new MessageEvent("message", { origin, source: window[source], data }));
          return heeded;
        })""",
        [ALTEGIOS + STRANGERS, source],
    )
    assert found == heeded
