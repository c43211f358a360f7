"""Each everyday errand of the finance role takes at most four clicks."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from billing.models import Payment, PaymentStatus
from tests.browser.errands.busy_portal import BusyPortal
from tests.browser.errands.clicks import Clicks

CASE = re.compile(r"/admin/connections/connection/\d+/change/")


@pytest.fixture
def finance(signed_in: Callable[[User], Clicks], portal: BusyPortal) -> Clicks:
    return signed_in(portal.staff("Finance"))


def paid(place: int) -> Payment:
    return Payment.objects.filter(location__altegio_id=place).order_by("-pk")[0]


def test_record_a_payment(finance: Clicks, portal: BusyPortal) -> None:
    finance.enter("Who is calling?", str(portal.at.due))
    finance.link("Record a payment")
    finance.type("Amount", "29.00")
    finance.type("Currency", "EUR")
    finance.button("Save")
    expect(finance.page).to_have_url(CASE)
    expect(finance.page.get_by_text("29.00 EUR").first).to_be_visible()
    assert finance.made == 3
    portal.work()
    assert paid(portal.at.due).status == PaymentStatus.REPORTED


def test_refund_a_payment(finance: Clicks, portal: BusyPortal) -> None:
    finance.enter("Who is calling?", str(portal.at.paid))
    finance.link("29.00 EUR")
    finance.button("Refund")
    finance.button("Yes, do it")
    assert finance.made == 4
    portal.work()
    finance.page.reload()
    expect(finance.page.get_by_text("refunded").first).to_be_visible()
    assert paid(portal.at.paid).status == PaymentStatus.REFUNDED


def test_send_again_what_failed(finance: Clicks, portal: BusyPortal) -> None:
    finance.press(finance.page.locator(".number.failed a"))
    finance.press(finance.page.locator("#result_list tbody tr").first.get_by_role("link").first)
    finance.button("Send again")
    finance.button("Yes, do it")
    assert finance.made == 4
    portal.work()
    assert paid(portal.at.unpaid).status == PaymentStatus.REPORTED


def test_see_and_take_along_what_this_month_came_to(finance: Clicks, portal: BusyPortal) -> None:
    finance.link("Payments")
    finance.link("Figures")
    expect(finance.page.get_by_text(f"{timezone.now():%B %Y}").first).to_be_visible()
    with finance.page.expect_download() as file:
        finance.link("Download as CSV")
    assert file.value.suggested_filename.endswith(".csv")
    assert finance.made == 3


def test_see_who_is_overdue(finance: Clicks, portal: BusyPortal) -> None:
    finance.press(finance.page.locator(".number.due-over a"))
    expect(finance.page).to_have_url(re.compile("due=overdue"))
    assert finance.made == 1
