"""An owner connects in a real browser, on a separate page and inside Altegio's iframe with cookies blocked."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from pytest_django.fixtures import Settings

from integrations.connect import arrivals
from integrations.connections.models import Arrival, Connection
from integrations.outbox.dispatcher import dispatch_due
from sandbox import Sandbox
from tests.browser.arriving import arrival
from tests.browser.eyes import has_no_axe_findings, pixels_too_wide
from tests.marketplace import AURORA_1, AURORA_2, EMMA
from tests.not_none import not_none

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_signed_arrival_turns_active_before_the_owners_eyes(
    page: Page, altegio: Sandbox, portal: str, worker: None
) -> None:
    page.goto(arrival(altegio, portal, [AURORA_1, AURORA_2]))
    expect(page.get_by_role("heading", name="All 2 locations are connected")).to_be_visible()
    assert "user_data" not in page.url
    has_no_axe_findings(page)


# A screen reader announces each new text of the live region, which is there from the beginning.
HEARD = """() => {
    const region = document.querySelector("[role=status]");
    window.heard = [];
    const hear = () => {
        const text = region.innerText.trim().replace(/\\s+/g, " ");
        if (text !== window.heard.at(-1)) window.heard.push(text);
    };
    hear();
    new MutationObserver(hear).observe(region, { childList: true, characterData: true, subtree: true });
}"""


def test_a_screen_reader_says_how_it_went(page: Page, altegio: Sandbox, portal: str) -> None:
    page.goto(arrival(altegio, portal, [AURORA_1, AURORA_2]))
    expect(page.get_by_role("status")).to_contain_text("Connecting…")
    page.evaluate(HEARD)
    dispatch_due()
    expect(page.get_by_role("status")).to_contain_text("All 2 locations are connected")
    assert page.evaluate("window.heard") == [
        "Connecting… This goes on by itself. You need not wait here.",
        "All 2 locations are connected You can go on working in Altegio.",
    ]


@pytest.mark.parametrize("width", [1280, 320])
def test_the_form_fits_and_can_be_used_by_everyone(page: Page, altegio: Sandbox, portal: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(arrival(altegio, portal, AURORA_1, user_id=None))
    assert pixels_too_wide(page) == 0
    has_no_axe_findings(page)


def test_sign_up_inside_a_cross_site_iframe_with_cookies_blocked(
    page: Page, worker: None, settings_tab: Callable[..., FrameLocator]
) -> None:
    frame = settings_tab("?anonymous=1")
    sign_up = frame.locator("form[action*='/sign-up/']")
    sign_up.get_by_label("Your name").fill("Emma")
    sign_up.get_by_label("E-mail").fill("emma@aurora.example")
    sign_up.get_by_label("Choose a password").fill("correct horse battery")
    sign_up.get_by_role("button").click()

    expect(frame.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    expect(page.locator(".toast.success")).to_be_visible()
    assert not_none(Connection.objects.get().owner).email == "emma@aurora.example"
    assert page.context.cookies() == []


def test_a_signed_arrival_inside_the_iframe(
    page: Page, worker: None, settings_tab: Callable[..., FrameLocator]
) -> None:
    frame = settings_tab()
    expect(frame.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    expect(page.locator(".toast.success")).to_be_visible()


def test_an_arrival_decided_before_its_page_loaded_is_announced_too(
    page: Page,
    altegio: Sandbox,
    portal: str,
    settings_tab: Callable[..., FrameLocator],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receive = arrivals.receive_signed

    def receive_and_activate(*given: Any) -> Arrival:
        arrival = receive(*given)
        dispatch_due()
        return arrival

    monkeypatch.setattr(arrivals, "receive_signed", receive_and_activate)
    frame = settings_tab()
    expect(page.locator(".toast.success")).to_be_visible()
    expect(frame.get_by_role("heading", name="Connected", exact=True)).to_be_visible()


def test_no_other_site_may_frame_the_page(
    page: Page, settings_tab: Callable[..., FrameLocator], settings: Settings, altegio: Sandbox
) -> None:
    settings.ALTEGIO_FRAME_ANCESTORS = ["https://app.alteg.io"]
    altegio.grant(AURORA_1, user_id=EMMA)
    blocked = []
    page.on("console", lambda message: blocked.append(message.text))
    page.goto(f"{altegio.app_url}/frame/{AURORA_1}/1/")
    page.wait_for_selector("iframe")
    expect(page.frame_locator("iframe").get_by_role("heading", name="Connect")).to_have_count(0)
    assert any("frame-ancestors" in text for text in blocked)
