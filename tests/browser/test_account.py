"""The owner's pages work in a real browser for everyone: at any width, light and dark, and by keyboard alone."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from billing.models import Payment, TariffOption
from integrations.connections.models import Application, Chain, Connection, Installation, Location
from integrations.sender_names.models import SenderName, SenderNameList
from tests.browser.eyes import has_no_axe_findings, pixels_too_wide
from tests.marketplace import proven_owner
from tests.planting import give_calls

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL, PASSWORD = "anna@example.com", "correct horse battery"
STATES = ("active", "frozen", "failed", "expired", "conflict", "granted", "uninstalled")
PAGES = (
    "accounts:home", "billing:subscriptions", "billing:payments", "sender_names:list", "telephony:list",
    "accounts:me", "accounts:email", "accounts:password", "lifecycle:erase",
)  # fmt: skip


@pytest.fixture
def anna() -> User:
    """Return an owner with a location in each state, tariffs, a payment, sender names and a chain whose telephony
    failed.
    """
    anna, now = proven_owner(EMAIL, PASSWORD, name="Anna"), timezone.now()
    sms = Application.objects.create(altegio_id=1, name="Beacon SMS")
    phones = Application.objects.create(altegio_id=2, name="Beacon Telephony", kind="telephony")
    chain = Chain.objects.create(altegio_id=501, title="Aurora", telephony="failed", telephony_since=now)
    TariffOption.objects.create(application=sms, altegio_id=1, title="1 month", price=Decimal(29), currency="EUR")
    for number in range(30):
        title = f"Beauty studio and barber shop number {number}"
        location = Location.objects.create(altegio_id=10101 + number, title=title, chain=chain)
        common = {"location": location, "claim": f"u:{anna.pk}", "claimant": anna, "owner": anna, "reviewed_at": now}
        common |= {"arrived_at": now, "last_arrived_at": now, "deadline_at": now + timedelta(hours=1)}
        state = STATES[number] if number < len(STATES) else "active"
        connection = Connection.objects.create(application=sms, state=state, next_payment_at=now, **common)
        Connection.objects.create(application=phones, state="active", **common)
        names = SenderNameList.objects.create(installation=Installation.at(sms, location), sync_state="queued")
        SenderName.objects.create(list=names, name="AURORA", state="asked")
        period = {"paid_at": now, "period_from": now, "period_to": now + timedelta(days=30)}
        place = {"connection": connection, "application": sms, "location": location}
        Payment.objects.create(source="api", amount=Decimal("1990.99"), currency="EUR", **place, **period)
    give_calls()
    return anna


@pytest.fixture
def portal(live_server: LiveServer, anna: User, page: Page) -> str:
    """Return the portal's address; the page's browser is signed in as Anna."""
    page.goto(live_server.url + reverse("accounts:sign-in"))
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your locations")).to_be_visible()
    return str(live_server.url)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_every_page_fits_and_can_be_used_by_everyone(
    page: Page, portal: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    for name in PAGES:
        page.goto(portal + reverse(name))
        assert pixels_too_wide(page) == 0, name
        has_no_axe_findings(page)


def test_the_keyboard_alone_changes_the_name(page: Page, portal: str) -> None:
    page.get_by_role("link", name="My data").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Anna Kovács")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Saved.")
    assert User.objects.get().name == "Anna Kovács"


def test_an_owner_in_a_hurry_finds_the_way_to_pay(page: Page, portal: str) -> None:
    page.get_by_role("link", name="Pay ·").first.click()
    expect(page.get_by_role("button", name="Get the address to pay at").first).to_be_visible()
