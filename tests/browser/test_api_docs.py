"""The API's readable docs work under the portal's own security policy."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", ["/api/v1/docs/", "/api/v1/docs"])
def test_the_docs_show_every_call(page: Page, portal: str, path: str) -> None:
    """The `page` fixture fails on any message of the browser about the policy."""
    page.goto(portal + path)
    expect(page.get_by_role("heading", name="Altegio partner portal")).to_be_visible()
    payments = page.locator("#operations-payments-payments_create")
    payments.click()
    expect(payments.get_by_text("external_id").first).to_be_visible()
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
