"""The portal hands an owner over to the partner's cabinet: the right person, with the right data, if policies allow
it.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.customers import CustomerData, put_customer
from accounts.models import User
from accounts.owner_frame import as_owner
from accounts.proofs import take_over
from integrations.connections.models import Application, Connection, State
from integrations.connections.transitions import lock, move
from partner_portal.core.masking import mask
from sandbox import Sandbox
from tests.integrations.handover.conftest import CABINET
from tests.marketplace import AURORA_1, AURORA_2, EMMAS_EMAIL, arrive, proven_owner
from tests.not_none import not_none
from tests.owner_forms import SIGN_UP, form_action
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db
IFRAME = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
OURS = {"Origin": "http://testserver"}


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def emma(connection: Connection) -> User:
    return not_none(connection.owner)


def address(connection: Connection) -> str:
    return f"/account/open/{connection.pk}/"


def claims_in(answer: Response, **audience: Any) -> dict[str, Any]:
    """Return the claims that the cabinet reads, checked by the keys that the portal serves."""
    token = dict(parse_qsl(urlsplit(answer["Location"]).query))["token"]
    served = Client().get("/.well-known/jwks.json").json()["keys"]
    key = jwt.PyJWKSet.from_dict({"keys": served})[jwt.get_unverified_header(token)["kid"]]
    wanted = {"audience": "altegio:1", "issuer": "http://localhost:8000"} | audience
    read: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256"], **wanted)
    return read


def test_an_owner_is_led_to_the_cabinet_with_a_token_about_them(connection: Connection, emma: User) -> None:
    answer = signed_in(emma).post(address(connection))
    assert answer.status_code == 303
    assert "no-store" in answer["Cache-Control"]
    assert answer["Location"].startswith(f"{CABINET}&token=")
    claims = claims_in(answer)
    assert claims.pop("exp") - claims.pop("iat") == 60
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "iss": "http://localhost:8000",
        "aud": "altegio:1",
        "sub": str(emma.pk),
        "email": EMMAS_EMAIL,
        "email_verified": False,
        "name": emma.name,
        "connection_id": connection.pk,
        "salon_id": AURORA_1,
        "external_id": "C-1",
    }


def test_only_a_proven_address_puts_the_customers_id_into_the_token(connection: Connection, emma: User) -> None:
    """Altegio names an address; another person, who is the partner's customer, may read its mail."""
    Connection.objects.update(external_id="", has_own_external_id=False)
    put_customer(CustomerData("C-7", EMMAS_EMAIL))
    signed = claims_in(signed_in(emma).post(address(connection)))
    assert (signed["email_verified"], signed["external_id"]) == (False, None)

    take_over(emma)
    proven = claims_in(signed_in(User.objects.get(pk=emma.pk)).post(address(connection)))
    assert (proven["email_verified"], proven["external_id"]) == (True, "C-7")


def test_each_token_is_another_one(connection: Connection, emma: User) -> None:
    browser = signed_in(emma)
    ids = {claims_in(browser.post(address(connection)))["jti"] for _ in range(3)}
    assert len(ids) == 3


def test_nobody_is_led_there_by_a_link(connection: Connection, emma: User) -> None:
    assert signed_in(emma).get(address(connection)).status_code == 405


def test_another_owner_finds_nothing(connection: Connection) -> None:
    assert signed_in(proven_owner("maria@owner.example")).post(address(connection)).status_code == 404


def test_a_visitor_is_asked_to_sign_in(connection: Connection) -> None:
    assert Client().post(address(connection))["Location"].startswith("/account/sign-in/")


@pytest.mark.parametrize("state", [State.UNINSTALLED, None])
def test_without_a_live_connection_or_a_cabinet_there_is_no_way(
    connection: Connection, emma: User, state: State | None
) -> None:
    if state is None:
        Application.objects.update(handover_url="")
    else:
        move(lock(connection.pk), state, "for the test")
    browser = signed_in(emma)
    assert browser.post(address(connection)).status_code == 404
    page = browser.get("/account/")
    assert "/account/open/" not in page.content.decode()
    assert "cabinet.partner.example" not in page["Content-Security-Policy"]


def test_nobody_gets_there_while_staff_must_look_first(altegio: Sandbox, connection: Connection, emma: User) -> None:
    """The cabinet shows the location's data, so no page leads there and the button's address gives no token."""
    browser = signed_in(emma)
    arrived = arrive(browser, altegio, AURORA_1)["Location"]
    pages = ("/account/", arrived)
    Connection.objects.update(review="Altegio signed another name.")
    answer = browser.post(address(connection))
    assert (answer.status_code, answer.get("Location")) == (404, None)
    assert not any("/account/open/" in browser.get(page).content.decode() for page in pages)

    Connection.objects.update(review="")
    assert browser.post(address(connection)).status_code == 303
    assert all("/account/open/" in browser.get(page).content.decode() for page in pages)


def test_the_status_page_leads_there_by_the_connection_that_has_been_checked(
    altegio: Sandbox, connection: Connection, emma: User, work: Work
) -> None:
    browser = signed_in(emma)
    shown = arrive(browser, altegio, [AURORA_1, AURORA_2])["Location"]
    work()
    Connection.objects.filter(pk=connection.pk).update(review="Altegio signed another name.")
    other = Connection.objects.exclude(pk=connection.pk).get()
    page = browser.get(shown).content.decode()
    assert re.findall(r"/account/open/\d+/", page) == [address(other)]


def test_an_address_that_was_merely_typed_gets_no_token_until_it_is_proven(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    page = arrive(client, altegio, AURORA_1, user_id=None)
    client.post(form_action(page, "sign-up"), SIGN_UP)
    work()
    Application.objects.update(handover_url=CABINET)
    connection = Connection.objects.get()
    owner = not_none(connection.owner)
    answer = signed_in(owner).post(address(connection))
    assert (answer.status_code, answer.get("Location")) == (403, None)
    assert "/account/open/" not in signed_in(owner).get("/account/").content.decode()

    take_over(owner)
    assert signed_in(User.objects.get(pk=owner.pk)).post(address(connection)).status_code == 303


def test_the_account_page_shows_the_way_and_lets_the_form_go_there(connection: Connection, emma: User) -> None:
    page = signed_in(emma).get("/account/")
    assert f'action="{address(connection)}"' in page.content.decode()
    assert "Open Partner portal" in page.content.decode()
    policy = page["Content-Security-Policy"]
    assert "form-action 'self' https://cabinet.partner.example;" in f"{policy};"


def test_the_status_page_shows_it_too_and_lets_the_form_go_there_before_it_is_there(
    altegio: Sandbox, connection: Connection, emma: User
) -> None:
    browser = signed_in(emma)
    shown = browser.get(arrive(browser, altegio, AURORA_1)["Location"])
    assert f'action="{address(connection)}"' in shown.content.decode()
    others = Client().get(shown.wsgi_request.path)
    assert "/account/open/" not in others.content.decode()
    for page in (shown, others):
        assert "form-action 'self' https://cabinet.partner.example" in page["Content-Security-Policy"]
        assert "frame-ancestors" in page["Content-Security-Policy"]


@pytest.mark.parametrize("opened_in", ["iframe", "document"])
def test_the_handover_needs_no_cookie_in_altegios_frame(connection: Connection, emma: User, opened_in: str) -> None:
    """The form opens a new tab, which is a document: the cabinet has its own cookies there."""
    browser = Client(headers=IFRAME, enforce_csrf_checks=True)
    page = browser.get(as_owner(emma, "/account/"))
    action = not_none(
        re.search(r'action="(/connect/as/[^"]+/account/open/\d+/)" target="_blank"', page.content.decode())
    )
    answer = browser.post(action[1], headers={**OURS, "Sec-Fetch-Dest": opened_in})
    assert answer.status_code == 303
    assert claims_in(answer)["sub"] == str(emma.pk)
    assert "cabinet.partner.example" in page["Content-Security-Policy"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
@pytest.mark.parametrize(("destination", "status"), [("iframe", 403), ("document", 302)])
def test_another_sites_form_gets_no_token(
    connection: Connection, emma: User, origin: str, destination: str, status: int
) -> None:
    browser = Client(headers=IFRAME, enforce_csrf_checks=True)
    headers = {"Origin": origin, "Sec-Fetch-Dest": destination}
    answer = browser.post(as_owner(emma, address(connection)), headers=headers)
    assert answer.status_code == status
    assert "token=" not in answer.get("Location", "")


def test_the_token_is_masked_wherever_it_would_be_written(connection: Connection, emma: User) -> None:
    answer = signed_in(emma).post(address(connection))
    token = dict(parse_qsl(urlsplit(answer["Location"]).query))["token"]
    assert token.split(".")[1] not in mask(f"GET {answer['Location']} failed")


@pytest.mark.parametrize(
    "url",
    [
        "http://cabinet.example/",
        "https://user:word@cabinet.example/",
        "https://cabinet.example/#top",
        "https://cabinet.example/?token=x",
        "https:///open",
        "https://кабинет.example/open",
    ],
)
def test_an_address_that_a_token_must_not_go_to_is_refused(connection: Connection, url: str) -> None:
    application = connection.application
    application.handover_url = url
    with pytest.raises(ValidationError) as refused:
        application.full_clean()
    assert list(refused.value.message_dict) == ["handover_url"]


def test_for_trials_alone_the_address_may_be_http(connection: Connection, settings: Settings) -> None:
    application = connection.application
    application.handover_url = "http://localhost:9100/open"
    with pytest.raises(ValidationError):
        application.full_clean()
    settings.EVENTS_ALLOW_PRIVATE = True
    application.full_clean()
