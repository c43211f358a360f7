"""A page speaks the account's language, the visitor's choice, the owner's, the browser's, or
English, in this order.
"""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.emails import send_waiting_emails
from accounts.models import User
from integrations.connect import tokens
from integrations.connections.models import Application, Arrival
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive, proven_owner
from tests.not_none import not_none
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SIGN_UP = {"name": "Olga", "email": "olga@example.com", "password": PASSWORD}
SIGN_IN_PAGE = "/account/sign-in/"


def visit(path: str, browser: str = "", client: Client | None = None) -> Response:
    return (client or Client()).get(path, headers={"Accept-Language": browser} if browser else {})


def language(answer: Response) -> str:
    """Return the page's language, which it states in two places."""
    in_page = not_none(re.search(r'<html lang="([^"]*)"', answer.content.decode()))[1]
    assert answer["Content-Language"] == in_page
    return in_page


def signed_in(code: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("emma@aurora.example", PASSWORD, language=code))
    return client


def links(answer: Response) -> dict[str, str]:
    """Return the link of each language in the footer."""
    return dict(re.findall(r'<a href="([^"]*)" lang="(\w+)" hreflang', answer.content.decode()))


@pytest.mark.parametrize(
    ("browser", "expected"),
    [
        ("hu", "hu"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("pt-BR,pt;q=0.9", "pt"),
        ("de-DE,uk;q=0.7,en;q=0.5", "uk"),
        ("de", "en"),
        ("", "en"),
        ("x" * 5000, "en"),
    ],
)
def test_a_visitor_reads_what_the_browser_prefers(browser: str, expected: str) -> None:
    assert language(visit(SIGN_IN_PAGE, browser)) == expected


def test_a_choice_in_the_address_is_stronger_than_the_browser() -> None:
    assert language(visit(f"{SIGN_IN_PAGE}?lang=hu", "ru")) == "hu"


@pytest.mark.parametrize("unknown", ["de", "xx", "", "..", "hu'><script>", "h" * 300, "%00", "pt-BR-x-evil-long"])
def test_an_unknown_choice_is_no_choice(unknown: str) -> None:
    answer = visit(f"{SIGN_IN_PAGE}?lang={unknown}", "ru")
    assert language(answer) == "ru"
    assert "script>" not in answer.content.decode()


def test_nothing_of_a_visitors_choice_is_stored() -> None:
    client = Client()
    answer = visit(f"{SIGN_IN_PAGE}?lang=hu", "ru", client)
    assert [name for name in answer.cookies if name != "csrftoken"] == []
    assert language(visit(SIGN_IN_PAGE, "ru", client)) == "ru"


def test_the_account_is_stronger_than_address_and_browser() -> None:
    assert language(visit("/account/?lang=ru", "pt", signed_in("hu"))) == "hu"


def test_an_account_without_a_language_follows_the_visitor() -> None:
    client = signed_in("")
    User.objects.update(language="")
    assert language(visit("/account/?lang=uk", "pt", client)) == "uk"
    assert language(visit("/account/", "pt", client)) == "pt"


def test_the_footer_offers_every_language_by_its_own_name() -> None:
    page = visit(SIGN_IN_PAGE, "hu").content.decode()
    for name in ("English", "Русский", "Українська", "Português", "Magyar"):
        assert f">{name}<" in page
    assert re.search(r'lang="hu"[^>]* aria-current="true"', page)


def test_a_choice_in_the_footer_keeps_where_the_sign_in_leads() -> None:
    addresses = [address.replace("&amp;", "&") for address in links(visit(f"{SIGN_IN_PAGE}?next=/account/x/", "hu"))]
    assert addresses[0] == "?next=%2Faccount%2Fx%2F&lang=en"


def test_an_owner_stores_a_choice_and_emails_follow_it() -> None:
    client = signed_in("hu")
    assert 'action="/account/language/"' in visit("/account/", "", client).content.decode()
    answer = client.post("/account/language/", {"language": "uk", "next": "/account/"})
    assert answer["Location"] == "/account/"
    assert language(visit("/account/", "en", client)) == "uk"
    Client().post("/account/reset/", {"email": "emma@aurora.example"}, headers={"Accept-Language": "pt"})
    send_waiting_emails()
    assert mail.outbox[0].subject == "Новий пароль"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_storing_a_choice_leads_nowhere_else(elsewhere: str) -> None:
    answer = signed_in("hu").post("/account/language/", {"language": "xx", "next": elsewhere})
    assert answer["Location"] == "/account/"
    assert User.objects.get().language == "hu"


def test_a_new_account_keeps_the_language_it_was_made_in(altegio: Sandbox) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    action = not_none(re.search(r'action="([^"]*/sign-up/)', page.content.decode()))[1]
    Client().post(action, SIGN_UP, headers={"Accept-Language": "hu"})
    assert User.objects.get().language == "hu"
    send_waiting_emails()
    assert mail.outbox[0].subject == "Erősítse meg a címét"


def test_a_signed_owner_keeps_the_browsers_language_once(client: Client, altegio: Sandbox) -> None:
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "uk"
    arrive(client, altegio, AURORA_1)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "pt"
    arrive(client, altegio, AURORA_1)
    assert User.objects.get().language == "uk"


def test_a_sign_in_does_not_change_a_stored_language() -> None:
    proven_owner("emma@aurora.example", PASSWORD, language="hu")
    data = {"username": "emma@aurora.example", "password": PASSWORD}
    Client().post(SIGN_IN_PAGE, data, headers={"Accept-Language": "ru"})
    assert User.objects.get().language == "hu"


def a_status_page(owner: User) -> str:
    arrival = Arrival.objects.create(
        application=Application.objects.create(altegio_id=1),
        deadline_at=timezone.now() + timedelta(minutes=5),
        salon_ids=[1],
        claim=f"u:{owner.pk}",
        user=owner,
    )
    return f"/connect/status/{tokens.status_token(arrival)}/"


def test_a_status_page_speaks_its_owners_language_until_the_visitor_chooses() -> None:
    path = a_status_page(User.objects.create_user("emma@aurora.example", language="hu"))
    assert language(visit(path, "ru")) == "hu"
    assert language(visit(f"{path}?lang=pt", "ru")) == "pt"
    assert visit(path, "ru").headers["Vary"].lower().count("accept-language") == 1


def test_the_language_does_not_reveal_whether_an_address_has_an_account(altegio: Sandbox, work: Work) -> None:
    proven_owner("olga@example.com", PASSWORD, language="pt")
    spoken = []
    for location, email in ((AURORA_1, "olga@example.com"), (AURORA_2, "new@example.com")):
        page = arrive(Client(), altegio, location, user_id=None)
        action = not_none(re.search(r'action="([^"]*/sign-up/)', page.content.decode()))[1]
        answer = Client().post(action, SIGN_UP | {"email": email}, headers={"Accept-Language": "hu"})
        work()
        spoken.append(language(visit(answer["Location"], "ru")))
    assert spoken == ["ru", "ru"]


def test_the_status_as_json_is_in_the_pages_language() -> None:
    path = a_status_page(User.objects.create_user("emma@aurora.example", language="hu"))
    answer = Client().get(f"{path}?lang=ru", headers={"Accept": "application/json"})
    assert answer.json()["locations"][0]["message"] == "Чтобы продолжить, зарегистрируйтесь или войдите."


class TestInAFrameWithoutCookies:
    """In a cross-site frame without cookies every request comes from a fresh browser."""

    def test_the_choice_lasts_from_arrival_to_status(self, altegio: Sandbox, work: Work) -> None:
        page = arrive(Client(), altegio, AURORA_1, user_id=None)
        address = next(address for address, code in links(page).items() if code == "hu")
        assert address.startswith("/connect/step/")
        page = visit(address, "ru")
        assert language(page) == "hu"

        refused = Client().post(self._action(page, "sign-up"), {}, headers={"Accept-Language": "ru"})
        assert language(refused) == "hu"
        answer = Client().post(self._action(refused, "sign-up"), SIGN_UP, headers={"Accept-Language": "ru"})
        assert answer.status_code == 303
        assert answer["Location"].endswith("/?lang=hu")
        work()
        assert language(visit(answer["Location"], "ru")) == "hu"
        assert User.objects.get().language == "hu"

    def test_a_form_that_was_refused_offers_languages_that_can_be_opened(self, altegio: Sandbox) -> None:
        page = arrive(Client(), altegio, AURORA_1, user_id=None)
        refused = Client().post(self._action(page, "sign-up"), {})
        for address in links(refused):
            assert Client().get(address).status_code == 200

    def test_an_address_full_of_what_altegio_sent_is_not_repeated(self, altegio: Sandbox) -> None:
        refused = Client().get("/connect/?salon_id=x&user_data=secret")
        assert refused.status_code == 400
        assert links(refused) == {}
        assert "secret" not in refused.content.decode()

    def test_thousands_of_locations_hinder_no_choice(self, altegio: Sandbox) -> None:
        many = "&".join(f"salon_ids[]={number}" for number in range(1, 2001))
        assert language(Client().get(f"/connect/?{many}&lang=hu")) == "hu"

    def _action(self, page: Response, name: str) -> str:
        return not_none(re.search(rf'action="([^"]*/{name}/[^"]*)"', page.content.decode()))[1]
