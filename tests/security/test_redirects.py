"""No address of the portal redirects its visitor to another site."""

import pytest
from django.test import Client

from accounts.models import User
from tests.marketplace import proven_owner

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
AWAY = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "http:///evil.example",
    " //evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "https://localhost@evil.example/",
]
PARAMETERS = ("next", "redirect", "redirect_to", "return", "return_url", "url")


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize(("path", "staff"), [("/account/sign-in/", False), ("/admin/login/", True)])
def test_signing_in_stays_here(away: str, path: str, staff: bool) -> None:
    proven_owner("a@b.example", PASSWORD, is_staff=staff)
    form = {"username": "a@b.example", "password": PASSWORD} | dict.fromkeys(PARAMETERS, away)
    answer = Client().post(path, form, query_params=dict.fromkeys(PARAMETERS, away))
    assert answer.status_code == 302
    assert answer["Location"] == "/account/"


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("path", ["/account/sign-out/", "/admin/logout/"])
def test_signing_out_stays_here(client: Client, away: str, path: str) -> None:
    client.force_login(User.objects.create_superuser("a@b.example", PASSWORD))
    answer = client.post(path, dict.fromkeys(PARAMETERS, away), query_params=dict.fromkeys(PARAMETERS, away))
    assert "evil" not in answer.get("Location", "")


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("path", ["/", "/account/", "/connect/", "/account/reset/", "/admin/", "/account/sign-in/"])
def test_no_parameter_of_a_visit_leads_away(client: Client, away: str, path: str) -> None:
    target = client.get(path, dict.fromkeys(PARAMETERS, away)).get("Location", "/")
    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))
