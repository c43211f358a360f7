"""Each kind of page sends the right headers about caching and framing, and ignores a forged Host."""

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.emails import send_waiting_emails
from accounts.models import User
from integrations.connections.models import Application

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
OWN = ["/account/sign-in/", "/account/reset/", "/admin/login/", "/api/v1/docs/", "/api/v1/schema/", "/nowhere/"]
SIGNED_IN = ["/account/", "/admin/", "/api/v1/connections/"]


@pytest.fixture
def portal(db: None) -> None:
    Application.objects.create(altegio_id=1)


@pytest.mark.parametrize("path", OWN + SIGNED_IN)
def test_other_pages_than_the_connect_pages_cannot_be_framed(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", ["/connect/?salon_id=1", "/connect/?salon_id=x", "/connect/step/x/", "/connect/status/x/"]
)
def test_altegio_alone_frames_the_connect_pages(client: Client, portal: None, path: str) -> None:
    answer = client.get(path)
    assert "X-Frame-Options" not in answer
    assert "frame-ancestors https://app.alteg.io https://*.alteg.io" in answer["Content-Security-Policy"]


def test_a_sign_in_page_beside_them_cannot_be_framed(client: Client) -> None:
    assert client.get("/connect/confirm/x/")["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", [*OWN, *SIGNED_IN, "/connect/?salon_id=1", "/healthz/"])
def test_no_content_is_taken_for_another_and_no_cache_keeps_it(client: Client, portal: None, path: str) -> None:
    answer = client.get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]


def test_an_owners_page_is_kept_by_no_cache(client: Client) -> None:
    client.force_login(User.objects.create_user("emma@owner.example", PASSWORD))
    assert "no-store" in client.get("/account/")["Cache-Control"]


def test_emails_lead_to_the_portals_address_whatever_host_was_asked(settings: Settings) -> None:
    User.objects.create_user("emma@owner.example", PASSWORD)
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert Client().post("/account/reset/", {"email": "emma@owner.example"}, headers=forged).status_code == 302
    send_waiting_emails()
    assert f"{settings.PORTAL_URL}/account/reset/" in mail.outbox[0].body
    assert "evil.example" not in str(mail.outbox[0].message())


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost@evil.example", "localhost:8:8"]
)
@pytest.mark.parametrize("path", ["/", "/connect/?salon_id=1", "/account/reset/", "/api/v1/schema/"])
def test_a_host_that_is_not_the_portals_gets_nothing(
    client: Client, settings: Settings, host: str, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    assert client.get(path, headers={"Host": host}).status_code == 400


def test_the_redirect_to_https_leads_to_the_portals_address(client: Client, settings: Settings) -> None:
    settings.BEHIND_HTTPS, settings.PORTAL_URL = True, "https://portal.example"
    answer = client.get("//evil.example/a?b", headers={"X-Forwarded-Proto": "http", "Host": "evil.example"})
    assert answer["Location"].startswith("https://portal.example/")
