"""Every errand of an owner works by keyboard alone."""

import re

from playwright.sync_api import Page, expect

from accounts.models import AltegioIdentity, User
from tests.browser.errands.busy_portal import PASSWORD, BusyPortal
from tests.browser.errands.keys import Keys


def sign_in(page: Page, portal: BusyPortal) -> Keys:
    page.goto(f"{portal.url}/account/")
    keys = Keys(page)
    keys.type("E-mail", "kira@willow.example")
    keys.type("Password", PASSWORD)
    keys.button("Sign in")
    expect(page.get_by_role("heading", name="Your locations")).to_be_visible()
    return keys


def test_connect_for_the_first_time(page: Page, portal: BusyPortal) -> None:
    _chain, [place] = portal.altegio.add_chain(1, "Willow by the Sea")
    portal.altegio.grant(place)
    page.goto(portal.altegio.arrival_url(place))
    keys = Keys(page)
    keys.type("Your name", "Odile")
    keys.type("E-mail", "odile@willow.example")
    keys.type("Choose a password", PASSWORD)
    keys.button("Sign up and connect")
    expect(page.get_by_role("heading", name="Connecting…")).to_be_visible()
    portal.work()
    expect(page.get_by_role("heading", name="Connected", exact=True)).to_be_visible()


def test_pay_when_frozen(page: Page, portal: BusyPortal) -> None:
    portal.freeze(portal.places["kira"])
    keys = sign_in(page, portal)
    keys.press(page.get_by_role("link", name=re.compile("^Pay ·")))
    keys.button("Get the address to pay at")
    # The form is answered before a worker has fetched the address.
    expect(page.get_by_role("link", name="Reload")).to_be_visible()
    portal.work()
    keys.link("Reload")
    way = page.get_by_role("link", name="Pay at Altegio").first
    expect(way).to_be_visible()
    keys.reach(way)


def test_unlink_an_altegio_user(page: Page, portal: BusyPortal) -> None:
    keys = sign_in(page, portal)
    keys.link("My data")
    keys.button("Unlink")
    expect(page.get_by_role("status")).to_contain_text("The Altegio user is unlinked.")
    assert not AltegioIdentity.objects.filter(user__email="kira@willow.example").exists()


def test_read_it_in_another_language(page: Page, portal: BusyPortal) -> None:
    keys = sign_in(page, portal)
    keys.button("Magyar")
    expect(page.locator("html")).to_have_attribute("lang", "hu")
    User.objects.filter(email="kira@willow.example").update(language="en")


def test_disconnect(page: Page, portal: BusyPortal) -> None:
    keys = sign_in(page, portal)
    keys.link("Disconnect")
    keys.button("Yes, disconnect")
    expect(page.locator("[data-salon]").first).to_be_visible()
    portal.work()
    page.reload()
    expect(page.locator("[data-state=uninstalled]").first).to_be_visible()
    keys.reach(page.get_by_role("link", name="Connect again").first)
