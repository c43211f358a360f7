"""Support gets from any open page to the answer and its remedy, and finds the case only once."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from integrations.connections.models import Chain, Connection
from tests.browser.errands.busy_portal import BusyPortal
from tests.browser.errands.clicks import Clicks
from tests.marketplace import AURORA_1

CASE = re.compile(r"/admin/connections/connection/\d+/change/")


@pytest.fixture
def support(signed_in: Callable[[User], Clicks], portal: BusyPortal) -> Clicks:
    return signed_in(portal.staff("Support"))


def caller_says(support: Clicks, words: object) -> None:
    """Check that the text typed into the search field opens the case."""
    support.enter("Who is calling?", str(words))
    expect(support.page).to_have_url(CASE)


def sure(support: Clicks) -> None:
    """Confirm the question, and check that the case is shown again."""
    support.button("Yes, do it")
    expect(support.page).to_have_url(CASE)


def trouble(page: Page, words: str) -> None:
    expect(page.locator(".steps .trouble").filter(has_text=words)).to_be_visible()


@pytest.mark.parametrize("path", ["", "billing/payment/", "connections/arrival/", "alerts/alert/", "two-factor/"])
def test_a_case_is_one_click_from_any_page(support: Clicks, portal: BusyPortal, path: str) -> None:
    support.page.goto(f"{portal.url}/admin/{path}")
    caller_says(support, portal.at.paid)
    assert support.made == 1


def test_i_connected_but_it_does_not_work(support: Clicks, portal: BusyPortal) -> None:
    portal.hesitate(portal.at.late)
    caller_says(support, portal.at.late)
    trouble(support.page, "Altegio has not answered well so far")
    support.button("Try again now")
    sure(support)
    assert support.made == 3
    portal.work()
    support.page.reload()
    expect(support.page.locator(".case-head .state")).to_have_text("Active")


def test_who_am_i_registered_as(support: Clicks, portal: BusyPortal) -> None:
    caller_says(support, "Iris's salon")
    expect(support.page.get_by_role("link", name="iris@willow.example")).to_be_visible()
    support.link("See what the owner sees")
    expect(support.page.get_by_text("You see this as iris@willow.example sees it; read only.")).to_be_visible()
    support.link("My data")
    expect(support.page.get_by_text("iris@willow.example").first).to_be_visible()
    assert support.made == 3


def test_my_sender_name_is_refused(support: Clicks, portal: BusyPortal) -> None:
    caller_says(support, portal.at.refused_names)
    trouble(support.page, "Altegio does not have the sender names as they are: Not allowed")
    support.button("Send the list again")
    sure(support)
    assert support.made == 3
    portal.work()
    support.page.reload()
    expect(support.page.get_by_text("Altegio does not have the sender names")).to_have_count(0)


def test_i_asked_for_a_sender_name(support: Clicks, portal: BusyPortal) -> None:
    caller_says(support, portal.at.asked_name)
    trouble(support.page, "The owner asks for the sender name “WILLOW”.")
    support.button("Grant")
    sure(support)
    assert support.made == 3


def test_i_paid_and_am_still_frozen(support: Clicks, portal: BusyPortal) -> None:
    caller_says(support, portal.at.frozen)
    trouble(support.page, "Altegio has frozen it until the subscription is paid.")
    support.button("Ask Altegio")
    sure(support)
    assert support.made == 3
    portal.work()
    support.page.reload()
    expect(support.page.locator(".case-head .state")).to_have_text("Active")


def test_another_person_took_my_salon(support: Clicks, portal: BusyPortal) -> None:
    support.enter("Who is calling?", str(portal.at.disputed))
    support.press(support.page.locator("#result_list tbody tr").filter(has_text="maria").get_by_role("link").first)
    trouble(support.page, "Find out who owns it")
    support.button("Conflict: decide for this person")
    sure(support)
    assert support.made == 4
    portal.work()
    owners = Connection.objects.live().filter(location__altegio_id=portal.at.disputed)
    assert [str(owner.owner) for owner in owners] == ["maria@medved.example"]


def test_messages_of_yesterday_did_not_arrive(support: Clicks, portal: BusyPortal) -> None:
    caller_says(support, portal.at.silent)
    trouble(support.page, "2 messages of the last 7 days: no final status came.")
    support.link("These messages")
    expect(support.page.locator("#result_list tbody tr")).to_have_count(2)
    assert support.made == 2


def test_phone_calls_do_not_show(support: Clicks, portal: BusyPortal) -> None:
    caller_says(support, AURORA_1)
    trouble(support.page, "Telephony could not be switched: Not allowed")
    support.button("Switch telephony on again")
    sure(support)
    assert support.made == 3
    portal.work()
    assert Chain.objects.get(locations__altegio_id=AURORA_1).telephony == Chain.Telephony.ON
