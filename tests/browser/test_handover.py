"""The portal opens the partner's cabinet as browsers allow it: in a tab, and out of Altegio's frame."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Page, Route, expect

from integrations.connections.models import Application

pytestmark = pytest.mark.django_db(transaction=True)
CABINET = "https://cabinet.partner.example/open"


@pytest.fixture
def cabinet(page: Page) -> list[str]:
    """Return the addresses requested from the cabinet, which is on another site, as a partner's is."""
    Application.objects.update_or_create(altegio_id=1, defaults={"handover_url": CABINET})
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="<h1>Good day</h1>", content_type="text/html")

    page.context.route("https://cabinet.partner.example/**", answer)
    return asked


def test_out_of_altegios_frame_the_cabinet_opens_in_a_tab_of_its_own(
    page: Page, worker: None, cabinet: list[str], settings_tab: Callable[..., FrameLocator]
) -> None:
    frame = settings_tab()
    expect(frame.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    with page.context.expect_page() as opened:
        frame.get_by_role("button", name="Open Partner portal").first.click()
    expect(opened.value.get_by_role("heading", name="Good day")).to_be_visible()
    assert [url.partition("?")[0] for url in cabinet] == [CABINET]
    assert "token=eyJ" in cabinet[0]

    frame.get_by_role("link", name="Open your account").click()
    with page.context.expect_page() as opened:
        frame.get_by_role("button", name="Open Partner portal").first.click()
    expect(opened.value.get_by_role("heading", name="Good day")).to_be_visible()
    assert len(cabinet) == 2
    assert page.context.cookies() == []
