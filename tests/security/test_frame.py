"""The frame's prefix bypasses nothing, whatever the form, method or spelling of an address."""

from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, get_script_prefix, reverse

from accounts.frame_tokens import make_frame_token
from accounts.models import User
from accounts.owner_frame import IN_FRAME
from integrations.outbox.models import OutgoingCall
from tests.planting import give_calls
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db
ARGUMENTS: dict[str, list[int | str]] = {
    "billing:payment-link": [1, 1],
    "connect:status": ["x"],
    "handover:open": [1],
    "lifecycle:disconnect": [1],
    "sender_names:ask": [1],
    "telephony:again": [1],
}
FORGED = [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Referer": "https://evil.example/"}]
FORGED += [{"Origin": "http://testserver.evil.example"}, {"Origin": "http://evil.example@evil.example:80"}]


@pytest.fixture
def emma() -> User:
    return User.objects.create_user("emma@owner.example", name="Emma", phone="1", language="en")


@pytest.fixture
def browser() -> Client:
    return Client(headers={"Sec-Fetch-Dest": "iframe"}, enforce_csrf_checks=True, raise_request_exception=False)


def address(emma: User, name: str) -> str:
    return f"/connect/as/{make_frame_token(emma)}{reverse(name, args=ARGUMENTS.get(name, []))}"


@pytest.mark.parametrize("name", sorted(IN_FRAME))
def test_no_form_of_another_site_is_accepted(browser: Client, emma: User, name: str) -> None:
    form = ("name=Mallory&phone=2&language=hu", "application/x-www-form-urlencoded")
    for method, headers in product(("POST", "PUT", "PATCH", "DELETE", "TRACE", "post"), FORGED):
        answer = browser.generic(method, address(emma, name), *form, headers=headers)
        assert answer.status_code == 403, (method, headers)
        emma.refresh_from_db()
        assert (emma.name, emma.phone, emma.language) == ("Emma", "1", "en"), (method, headers)


OVERRIDES: tuple[dict[str, str], ...] = ({}, {"X-HTTP-Method-Override": "POST"}, {"X-Method-Override": "POST"})


@pytest.mark.parametrize("name", sorted(IN_FRAME))
def test_a_get_request_changes_nothing_whatever_its_headers_say(browser: Client, name: str) -> None:
    rows = Poisoned("x", Connection={"state": "active", "review": ""}, User={"is_staff": False, "is_active": True})
    for model in ("billing.PaymentLink", "sender_names.SenderName", "connections.Chain"):
        rows.row(apps.get_model(model))
    give_calls()
    emma, calls = User.objects.get(), OutgoingCall.objects.count()
    page = f"{address(emma, name)}?_method=POST&language=hu&name=Mallory"
    for method, override in product(("GET", "HEAD", "OPTIONS"), OVERRIDES):
        assert browser.generic(method, page, headers=override).status_code < 500, (method, override)
        emma.refresh_from_db()
        assert (emma.name, OutgoingCall.objects.count()) == ("x", calls), (method, override)


STRANGE = [
    "//account/", "/%2Faccount/", "/%2F%2Fevil.example/", "/..//admin/", "/account/../admin/",
    "/account/%2e%2e/admin/", "/account/..%2f..%2fadmin/", "/admin/", "//admin/", "/account/;/admin/",
    "/account/%00", "/account/%0a", "/account", "/connect/as/x/account/", "/\\evil.example/",
    "/account/me/email/", "/account/me/password/", "/account/me/erase/", "/account/me/download/",
    "/account/me/sign-out-everywhere/", "/account/sign-out/", "/api/v1/connections/",
    "/account/connections/99999999999999999999999999/disconnect/", "/metrics/",
]  # fmt: skip


@pytest.mark.parametrize("page", STRANGE)
def test_no_spelling_opens_more_or_leads_elsewhere(emma: User, page: str) -> None:
    for case in product(("GET", "POST"), ("iframe", "document", "frame")):
        method, where = case
        headers = {"Sec-Fetch-Dest": where, "Origin": "http://testserver"}
        browser = Client(headers=headers, raise_request_exception=False)
        answer = browser.generic(method, f"/connect/as/{make_frame_token(emma)}{page}")
        assert answer.status_code < 500, case
        assert "emma@owner.example" not in answer.content.decode(), case
        target = answer.get("Location", "/")
        assert target.startswith("/"), case
        assert not target.startswith(("//", "/\\")), case
        assert User.objects.get().session_epoch == 0, case
        assert get_script_prefix() == "/", "the next request of this thread is nobody's"


FORWARDED = {
    "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "//evil.example", "X-Script-Name": "/evil",
    "X-Original-URL": "/account/me/erase/", "X-Rewrite-URL": "/admin/", "Forwarded": "host=evil.example",
}  # fmt: skip


def test_no_header_changes_the_page_or_its_user(browser: Client, emma: User) -> None:
    page = browser.get(address(emma, "accounts:home"), headers=FORWARDED).content.decode()
    assert "evil" not in page
    forged = FORWARDED | {"Origin": "http://evil.example"}
    assert browser.post(address(emma, "accounts:me"), {"name": "x"}, headers=forged).status_code == 403


AWAY = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:xss()",
    "/a\r\nX-Evil: 1",
    "/\0",
    "x" * 9000,
]


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("in_frame", [True, False])
def test_the_choice_of_a_language_leads_nowhere_else(emma: User, away: str, in_frame: bool) -> None:
    browser = Client(headers={"Origin": "http://testserver"}, raise_request_exception=False)
    browser.force_login(emma)
    path = address(emma, "accounts:language") if in_frame else reverse("accounts:language")
    answer = browser.post(path, {"language": "hu", "next": away})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith(("//", "/\\"))
    assert "X-Evil" not in answer


@pytest.mark.parametrize("code", ["x" * 9000, "\0", "../hu", "hu\r\n", ""])
@pytest.mark.parametrize("in_frame", [True, False])
def test_an_invalid_language_changes_none(emma: User, code: str, in_frame: bool) -> None:
    browser = Client(headers={"Origin": "http://testserver"}, raise_request_exception=False)
    browser.force_login(emma)
    path = address(emma, "accounts:language") if in_frame else reverse("accounts:language")
    assert browser.post(path, {"language": code}).status_code == 302
    assert User.objects.get().language == "en"


ODD = ("9" * 5000, "-1", "0", "NaN", "1e999", "\0", "²", "\udcff", "' OR 1=1 --", "%", "[]", "last")


@pytest.mark.parametrize(
    "name", ["accounts:home", "billing:subscriptions", "billing:payments", "sender_names:list", "telephony:list"]
)
def test_no_page_number_or_search_breaks_a_list(browser: Client, emma: User, name: str) -> None:
    for parameter, value in product(("page", "q", "state", "done", "lang"), ODD):
        asked = {parameter: value.encode("utf-8", "surrogateescape")}
        assert browser.get(address(emma, name), asked).status_code == 200, (parameter, value)


def posting_addresses(patterns: Any = None, before: str = "") -> list[str]:
    """Return every address of the owner's pages that takes a form."""
    found = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver) and route.startswith("account/"):
            found += posting_addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and before:
            found.append(route)
    return found


@pytest.mark.parametrize("route", posting_addresses())
def test_every_owners_page_wants_the_token_against_forged_requests(emma: User, route: str) -> None:
    path = "/" + route.replace("<int:pk>", "1").replace("<str:token>", "x").replace(
        "<uidb64>/<token>", "x/set-password"
    )
    path = path.replace("<int:connection_id>", "1").replace("<int:option_id>", "1").replace("<int:chain_id>", "1")
    assert "<" not in path
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(emma)
    assert browser.post(path, headers={"Origin": "https://evil.example"}).status_code == 403
