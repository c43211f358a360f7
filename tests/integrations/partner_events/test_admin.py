"""Staff make and change public addresses as API keys do, and undo nothing that others changed meanwhile."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from integrations.partner_events.endpoints import rotate_secret, switch
from integrations.partner_events.models import WebhookEndpoint
from tests.integrations.partner_events.conftest import Partner
from tests.kept import everything_stored

pytestmark = pytest.mark.django_db
ADD = "/admin/partner_events/webhookendpoint/add/"


@pytest.mark.parametrize("url", ["http://192.0.43.8/", "https://127.0.0.1/", "https://user:word@192.0.43.8/"])
def test_an_address_that_nothing_is_sent_to_is_refused(admin_client: Client, url: str) -> None:
    answer = admin_client.post(ADD, {"url": url})

    assert answer.status_code == 200
    assert not WebhookEndpoint.objects.exists()


def test_the_secret_of_a_new_address_is_shown_once(admin_client: Client, partner: Partner) -> None:
    made = admin_client.post(ADD, {"url": partner.url}, follow=True)
    secret = WebhookEndpoint.objects.get().secret

    assert secret in made.content.decode()
    shown = admin_client.get(f"/admin/partner_events/webhookendpoint/{WebhookEndpoint.objects.get().pk}/change/")
    assert secret not in shown.content.decode()


def test_a_new_secret_is_shown_once_on_the_page_where_it_was_asked_for(
    admin_client: Client, endpoint: WebhookEndpoint
) -> None:
    page = f"/admin/partner_events/webhookendpoint/{endpoint.pk}/change/"
    rotate = {"action": "rotate", "_selected_action": endpoint.pk, "confirmed": "yes", "back": page}
    answer = admin_client.post("/admin/partner_events/webhookendpoint/", rotate)
    new = WebhookEndpoint.objects.get().secret

    assert new != endpoint.secret
    assert new not in str(answer.cookies), "a message would stand in a cookie"
    assert new not in everything_stored(), "nor in the session"
    assert new in admin_client.get(page).content.decode()
    assert new not in admin_client.get(page).content.decode()


def test_the_list_says_what_became_of_the_last_delivery(admin_client: Client, endpoint: WebhookEndpoint) -> None:
    def word() -> str:
        page = admin_client.get("/admin/partner_events/webhookendpoint/").content.decode()
        return str(re.findall(r'<span class="word \w+">([^<]+)</span>', page)[0])

    assert word() == "nothing sent yet"
    WebhookEndpoint.objects.update(last_delivered_at=timezone.now())
    assert word() == "taken"
    WebhookEndpoint.objects.update(failing_since=timezone.now())
    assert word() == "not taken"
    WebhookEndpoint.objects.update(is_active=False)
    assert word() == "switched off"


def test_a_change_undoes_nothing_that_happened_while_the_form_was_open(
    admin_client: Client, partner: Partner, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the form is saved, the secret is replaced, and a worker switches the address off."""
    save = WebhookEndpoint.save

    def save_late(row: WebhookEndpoint, **options: object) -> None:
        monkeypatch.undo()
        rotate_secret(endpoint)
        switch(endpoint, on=False)
        save(row, **options)  # type: ignore[arg-type]

    before = endpoint.secret
    monkeypatch.setattr(WebhookEndpoint, "save", save_late)
    page = f"/admin/partner_events/webhookendpoint/{endpoint.pk}/change/"
    assert admin_client.post(page, {"url": partner.url, "description": "other"}).status_code == 302

    after = WebhookEndpoint.objects.get()
    assert (after.description, after.is_active) == ("other", False)
    assert after.secret != before


def test_a_private_address_is_one_for_trials_alone(
    admin_client: Client, partner: Partner, settings: Settings
) -> None:
    settings.EVENTS_ALLOW_PRIVATE = False
    admin_client.post(ADD, {"url": partner.url})

    assert not WebhookEndpoint.objects.exists()
