"""Each errand of an owner by hand is as short as it can be."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import AltegioIdentity, User
from integrations.connections.models import Connection
from tests.browser.errands.busy_portal import PASSWORD, BusyPortal
from tests.browser.errands.clicks import Clicks

Door = Callable[[User], Clicks]


def owner(name: str) -> User:
    return User.objects.get(email=f"{name}@willow.example")


def sign_in(clicks: Clicks, portal: BusyPortal, name: str) -> None:
    clicks.page.goto(f"{portal.url}/account/")
    clicks.type("E-mail", f"{name}@willow.example")
    clicks.enter("Password", PASSWORD)


def test_connect_for_the_first_time(page: Page, portal: BusyPortal) -> None:
    portal.altegio.grant(portal.at.new)
    page.goto(portal.altegio.arrival_url(portal.at.new))
    clicks = Clicks(page)
    for label, text in (("Your name", "Olga"), ("E-mail", "olga@willow.example"), ("Choose a password", PASSWORD)):
        clicks.type(label, text)
    clicks.button("Sign up and connect")
    expect(page.get_by_role("heading", name="Connecting…")).to_be_visible()
    portal.work()
    expect(page.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    expect(page.locator(f'[data-salon="{portal.at.new}"] b')).to_contain_text("Willow Studios")
    assert clicks.made == 1


def test_sign_in_again_and_see_how_it_stands(page: Page, portal: BusyPortal) -> None:
    clicks = Clicks(page)
    sign_in(clicks, portal, "iris")
    expect(page.locator(f'[data-salon="{portal.places["iris"]}"]')).to_contain_text("Connected.")
    assert clicks.made == 1


def test_pay_when_frozen(signed_in: Door, portal: BusyPortal) -> None:
    portal.freeze(portal.places["lena"])
    clicks = signed_in(owner("lena"))
    expect(clicks.page.locator("[data-state=frozen]").first).to_contain_text("frozen by Altegio since")
    clicks.press(clicks.page.get_by_role("link", name=re.compile("^Pay ·")))
    clicks.button("Get the address to pay at")
    portal.work()
    clicks.link("Reload")
    expect(clicks.page.get_by_role("link", name="Pay at Altegio").first).to_be_visible()
    assert clicks.made == 3


def test_disconnect_and_find_the_way_back(signed_in: Door, portal: BusyPortal) -> None:
    clicks = signed_in(owner("nora"))
    clicks.link("Disconnect")
    clicks.button("Yes, disconnect")
    portal.work()
    clicks.page.reload()
    expect(clicks.page.locator("[data-state=uninstalled]").first).to_be_visible()
    back = clicks.page.get_by_role("link", name="Connect again").first
    assert str(portal.places["nora"]) in str(back.get_attribute("href"))
    assert clicks.made == 2


def test_unlink_an_altegio_user(signed_in: Door, portal: BusyPortal) -> None:
    clicks = signed_in(owner("iris"))
    clicks.link("My data")
    clicks.button("Unlink")
    expect(clicks.page.get_by_role("status")).to_contain_text("The Altegio user is unlinked.")
    assert not AltegioIdentity.objects.filter(user=owner("iris")).exists()
    assert clicks.made == 2


def test_take_my_data_along(signed_in: Door, portal: BusyPortal) -> None:
    clicks = signed_in(owner("iris"))
    clicks.link("My data")
    with clicks.page.expect_download() as file:
        clicks.link("Download my data")
    assert file.value.suggested_filename == "my-data.json"
    assert clicks.made == 2


def test_close_the_account(signed_in: Door, portal: BusyPortal) -> None:
    clicks = signed_in(owner("ruth"))
    clicks.link("My data")
    clicks.link("Erase my data")
    clicks.type("Your present password", PASSWORD)
    clicks.button("Erase everything")
    expect(clicks.page.get_by_role("heading", name="Your data is erased")).to_be_visible()
    assert clicks.made == 3
    assert not User.objects.filter(email="ruth@willow.example").exists()


def test_change_the_password(signed_in: Door, portal: BusyPortal) -> None:
    clicks = signed_in(owner("lena"))
    clicks.link("My data")
    clicks.link("Change the password")
    clicks.type("Your present password", PASSWORD)
    clicks.type("New password", "another correct horse")
    clicks.enter("New password once more", "another correct horse")
    expect(clicks.page.get_by_role("status")).to_contain_text("Your new password is saved.")
    assert clicks.made == 3


def test_read_it_in_another_language(signed_in: Door, portal: BusyPortal) -> None:
    clicks = signed_in(owner("nora"))
    clicks.button("Magyar")
    expect(clicks.page.locator("html")).to_have_attribute("lang", "hu")
    assert clicks.made == 1
    User.objects.filter(email="nora@willow.example").update(language="en")


@pytest.mark.parametrize("name", ["Subscriptions", "Payments", "Sender names", "My data"])
def test_each_page_is_one_click_away(signed_in: Door, portal: BusyPortal, name: str) -> None:
    clicks = signed_in(owner("iris"))
    clicks.link(name)
    expect(clicks.page.get_by_role("link", name=name).first).to_have_attribute("aria-current", "page")
    assert Connection.objects.filter(owner=owner("iris")).exists()
