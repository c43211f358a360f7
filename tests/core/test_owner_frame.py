"""An owner works inside Altegio's iframe without a cookie, by a frame token in the address that cannot be abused."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.frame_tokens import FRAME_TOKEN_AGE, make_frame_token
from accounts.models import User
from accounts.owner_frame import as_owner
from integrations.connections.models import Connection
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.disconnect import Uninstall
from partner_portal.core.logs import SecretFreeReporter
from partner_portal.core.masking import mask
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, EMMA, MARIA, arrive, follow, proven_owner
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db
IFRAME = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
OURS = {"Origin": "http://testserver"}
PASSWORD = "correct horse battery"


@pytest.fixture
def browser() -> Client:
    """Return a browser inside the iframe with production's check for forged requests."""
    return Client(headers=IFRAME, enforce_csrf_checks=True)


@pytest.fixture
def emma(client: Client, altegio: Sandbox, work: Work) -> User:
    """Return Emma, who holds Aurora 1."""
    arrive(client, altegio, AURORA_1, user_id=EMMA)
    work()
    return User.objects.get()


@pytest.fixture
def home(emma: User) -> str:
    return as_owner(emma, "/account/")


def disconnect_address(emma: User) -> str:
    return as_owner(emma, f"/account/connections/{Connection.objects.get(owner=emma).pk}/disconnect/")


def test_a_signed_arrival_in_the_frame_leads_to_settings_and_disconnect(
    browser: Client, altegio: Sandbox, emma: User, work: Work
) -> None:
    answer = follow(browser, altegio, AURORA_1, user_id=EMMA)
    assert re.fullmatch(r"/connect/as/[^/]+/connect/status/[^/]+/", answer["Location"])
    shown = browser.get(answer["Location"]).content.decode()
    home = not_none(re.search(r'href="(/connect/as/[^/]+/account/)"', shown))[1]
    settings = browser.get(home).content.decode()
    assert "Aurora Covent Garden" in settings
    disconnect = not_none(re.search(r'href="(/connect/as/[^"]+/disconnect/)"', settings))[1]
    assert browser.get(disconnect).status_code == 200
    assert Connection.objects.get().state == "active", "it asks once"
    done = browser.post(disconnect, headers=OURS)
    work()
    assert done["Location"].startswith(home)
    assert Connection.objects.get().state == "uninstalled"


def test_outside_the_frame_a_signed_arrival_gives_no_frame_token(
    client: Client, altegio: Sandbox, emma: User
) -> None:
    assert follow(client, altegio, AURORA_1, user_id=EMMA)["Location"].startswith("/connect/status/")


def test_a_shared_status_link_opens_nothing(browser: Client, altegio: Sandbox, emma: User) -> None:
    location = follow(browser, altegio, AURORA_1, user_id=EMMA)["Location"]
    plain = location[location.index("/connect/status/") :]
    shown = Client(headers=IFRAME).get(plain).content.decode()
    assert "/connect/as/" not in shown
    assert "/account/" not in shown


def test_a_sign_in_in_the_frame_is_known_on_the_status_page(browser: Client, altegio: Sandbox) -> None:
    proven_owner("olga@example.com", PASSWORD)
    page = arrive(browser, altegio, AURORA_1, user_id=None).content.decode()
    form = not_none(re.search(r'action="(/connect/step/[^"]+/sign-in/)"', page))[1]
    answer = browser.post(form, {"email": "olga@example.com", "password": PASSWORD}, headers=OURS)
    shown = Client(headers=IFRAME).get(answer["Location"]).content.decode()
    assert "You are signed in as olga@example.com." in shown
    assert "/sign-in/" not in shown


def test_a_sign_in_posted_by_another_site_gives_no_frame_token(browser: Client, altegio: Sandbox) -> None:
    proven_owner("mallory@example.com", PASSWORD)
    page = arrive(browser, altegio, AURORA_1, user_id=None).content.decode()
    form = not_none(re.search(r'action="(/connect/step/[^"]+/sign-in/)"', page))[1]
    filled = {"email": "mallory@example.com", "password": PASSWORD}
    answer = browser.post(form, filled, headers={"Origin": "https://evil.example"})
    assert answer["Location"].startswith("/connect/status/")


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_form_that_is_not_ours_does_nothing(browser: Client, emma: User, headers: dict[str, Any]) -> None:
    assert browser.post(disconnect_address(emma), headers=headers).status_code == 403
    assert not OutgoingCall.objects.filter(kind=Uninstall.name).exists()


def test_the_frame_token_of_one_owner_does_not_open_anothers_pages(
    browser: Client, altegio: Sandbox, emma: User, work: Work
) -> None:
    arrive(Client(), altegio, AURORA_2, user_id=MARIA)
    work()
    maria = User.objects.exclude(pk=emma.pk).get()
    hers = Connection.objects.get(owner=maria).pk
    assert browser.post(as_owner(emma, f"/account/connections/{hers}/disconnect/"), headers=OURS).status_code == 404


def tampered(emma: User) -> str:
    body, rest = make_frame_token(emma).split(":", 1)
    return f"{body[:-1]}{'A' if body[-1] != 'A' else 'B'}:{rest}"


@pytest.mark.parametrize(
    "made_up",
    [
        tampered,
        lambda emma: "x",
        lambda emma: signing.dumps([emma.pk, ""], salt="accounts.pass"),
        lambda emma: signing.dumps(emma.pk, salt="accounts.pass"),
        lambda emma: signing.dumps([emma.pk, "0" * 32], salt="connect.status"),
    ],
)
def test_a_made_up_frame_token_opens_nothing(browser: Client, emma: User, made_up: Any) -> None:
    answer = browser.get(f"/connect/as/{made_up(emma)}/account/")
    assert answer.status_code == 410
    assert b"Aurora" not in answer.content


def test_a_frame_token_ends_after_an_hour(browser: Client, home: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=FRAME_TOKEN_AGE - 10)):
        assert browser.get(home).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=FRAME_TOKEN_AGE + 10)):
        assert browser.get(home).status_code == 410


def new_password(emma: User) -> None:
    emma.set_password("another horse battery")


def closed(emma: User) -> None:
    emma.is_active = False


def made_staff(emma: User) -> None:
    emma.is_staff = True


@pytest.mark.parametrize("change", [new_password, closed, made_staff])
def test_a_frame_token_ends_with_whatever_ends_a_session(browser: Client, emma: User, home: str, change: Any) -> None:
    assert browser.get(home).status_code == 200
    change(emma)
    emma.save()
    assert browser.get(home).status_code == 410


@pytest.mark.parametrize("page", ["/admin/", "/account/sign-out/", "/account/reset/", "/connect/", "/api/v1/docs/"])
def test_every_page_not_listed_asks_for_its_own_sign_in(browser: Client, emma: User, page: str) -> None:
    answer = browser.get(as_owner(emma, page))
    assert answer.templates[0].name == "accounts/outside_frame.html"
    assert f'href="{page}"' in answer.content.decode()


def test_an_address_taken_out_of_the_frame_asks_for_a_sign_in(home: str) -> None:
    answer = Client(headers={"Sec-Fetch-Dest": "document"}).get(home)
    assert answer["Location"] == "/account/"


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "/%5Cevil.example/", "/nothing-here/"])
def test_no_address_leads_elsewhere(emma: User, elsewhere: str) -> None:
    browser = Client(headers={"Sec-Fetch-Dest": "document"})
    assert browser.get(as_owner(emma, elsewhere)).status_code == 404


def test_the_owners_pages_may_be_framed_by_altegio_alone(browser: Client, home: str) -> None:
    answer = browser.get(home)
    assert "frame-ancestors https://app.alteg.io https://*.alteg.io" in answer["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer
    assert answer["Referrer-Policy"] == "strict-origin", "the pass leaves with no request"
    assert "no-store" in answer["Cache-Control"]
    assert Client().get("/account/sign-in/")["X-Frame-Options"] == "DENY"


def test_the_next_request_in_the_thread_has_no_user(browser: Client, home: str) -> None:
    browser.get(home)
    assert browser.get("/account/")["Location"].startswith("/account/sign-in/")


def test_a_frame_token_is_in_no_log(home: str) -> None:
    assert home.split("/")[3] not in mask(f'"GET {home} HTTP/1.1" Referer: http://localhost{home}')


def test_a_frame_token_is_in_no_error_report(rf: RequestFactory, home: str) -> None:
    request = rf.get(home, headers={"Referer": f"http://testserver{home}"})
    report = SecretFreeReporter(request, ValueError, ValueError("broken"), None).get_traceback_text()
    assert "/connect/as/" in report
    assert home.split("/")[3] not in report


class TestLanguage:
    """A page in the frame speaks the account's language; Altegio's browser prefers Russian and keeps no cookie."""

    @pytest.fixture
    def russian(self) -> Client:
        return Client(headers=IFRAME | {"Accept-Language": "ru"}, enforce_csrf_checks=True)

    @pytest.fixture
    def hungarian(self, emma: User) -> User:
        User.objects.update(language="hu")
        emma.refresh_from_db()
        return emma

    @pytest.mark.parametrize("page", ["/account/", "/account/me/", "/account/me/?lang=pt", "/account/me/password/"])
    def test_a_page_speaks_the_accounts_language(self, russian: Client, hungarian: User, page: str) -> None:
        answer = russian.get(as_owner(hungarian, page))
        assert answer["Content-Language"] == "hu"
        assert '<html lang="hu"' in answer.content.decode()

    def test_the_cookie_of_another_account_does_not_count(self, russian: Client, hungarian: User) -> None:
        russian.force_login(User.objects.create_user("olga@example.com", language="pt"))
        assert russian.get(as_owner(hungarian, "/account/"))["Content-Language"] == "hu"

    def test_without_a_choice_of_the_account_the_browsers_counts(self, russian: Client, emma: User) -> None:
        User.objects.update(language="")
        assert russian.get(as_owner(emma, "/account/"))["Content-Language"] == "ru"

    def test_a_choice_in_the_footer_is_stored_and_holds(self, russian: Client, hungarian: User) -> None:
        page = as_owner(hungarian, "/account/me/")
        html = russian.get(page).content.decode()
        pattern = r'action="([^"]+/account/language/)".*?name="next" value="([^"]+)"'
        form = not_none(re.search(pattern, html, re.DOTALL))
        answer = russian.post(form[1], {"language": "uk", "next": form[2]}, headers=OURS)
        assert answer["Location"] == page
        assert russian.get(answer["Location"])["Content-Language"] == "uk"
        assert User.objects.get().language == "uk"
