"""A key for the partner's systems is made by staff in the admin, shown to them once, and stored nowhere."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from accounts.models import ApiKey, User
from accounts.roles import Role
from partner_portal.core.admin_secrets import SHOWN_WITHIN
from tests.kept import everything_stored
from tests.not_none import not_none
from tests.response import Response

pytestmark = pytest.mark.django_db
ADD, LIST = "/admin/accounts/apikey/add/", "/admin/accounts/apikey/"
NEW: dict[str, Any] = {"name": "billing", "scopes": ["read", "billing"]}


def secret_in(page: Response) -> str:
    return str(page.context.get("new_secret", ""))


def made(client: Client) -> Response:
    return client.post(ADD, NEW, follow=True)


def calls(client: Client, secret: str) -> int:
    return client.get("/api/v1/connections/", headers={"Authorization": f"Api-Key {secret}"}).status_code


def test_a_new_key_is_shown_once_and_works(admin_client: Client, client: Client) -> None:
    page = made(admin_client)
    secret, [(address, _status)] = secret_in(page), page.redirect_chain
    assert escape(secret) in page.content.decode()
    assert calls(client, secret) == 200
    assert ApiKey.objects.get().scopes == ["read", "billing"]
    assert secret not in admin_client.get(address).content.decode()


def test_the_new_key_is_kept_in_no_cookie_and_no_column(admin_client: Client) -> None:
    answer = admin_client.post(ADD, NEW)
    stored, cookies = everything_stored(), str(answer.cookies)
    secret = secret_in(admin_client.get(answer.headers["Location"]))
    assert len(secret) > 20
    assert secret not in stored + cookies


def test_the_new_key_is_shown_only_to_its_maker_and_only_briefly(admin_client: Client, client: Client) -> None:
    address = admin_client.post(ADD, NEW).headers["Location"]
    other = User.objects.create_superuser("other@partner.example")
    client.force_login(other)
    assert secret_in(client.get(address)) == ""
    with time_machine.travel(timezone.now() + SHOWN_WITHIN + timedelta(seconds=1)):
        assert secret_in(admin_client.get(address)) == ""


def test_a_key_without_scopes_is_not_made(admin_client: Client) -> None:
    admin_client.post(ADD, {"name": "billing"})
    admin_client.post(ADD, {"name": "billing", "scopes": ["root"]})
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.FINANCE])
def test_only_administrators_make_keys(client: Client, role: Role) -> None:
    user = User.objects.create_user("member@partner.example", is_staff=True)
    user.groups.add(Group.objects.get(name=role.value))
    client.force_login(user)
    assert client.post(ADD, NEW).status_code == 403


def test_the_scopes_of_a_key_cannot_be_changed(admin_client: Client) -> None:
    key = ApiKey.objects.get(pk=ApiKey.objects.create_key(name="billing", scopes=["read"])[0].pk)
    admin_client.post(f"{LIST}{key.pk}/change/", {"scopes": ["billing"], "name": "x", "revoked": "on"})
    key.refresh_from_db()
    assert (key.name, key.scopes, key.revoked) == ("billing", ["read"], True)


def test_the_list_says_when_a_key_was_used_last(admin_client: Client, client: Client) -> None:
    _key, secret = ApiKey.objects.create_key(name="billing", scopes=["read"])
    assert ApiKey.objects.get().last_used_at is None
    calls(client, secret)
    used = not_none(ApiKey.objects.get().last_used_at)
    assert f'<time datetime="{used.isoformat()}">' in admin_client.get(LIST).content.decode()


def test_the_use_of_a_key_is_noted_once_a_minute(client: Client) -> None:
    _key, secret = ApiKey.objects.create_key(name="billing", scopes=["read"])
    noted = []
    for seconds in (0, 30, 61):
        with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False):
            calls(client, secret)
        noted.append(ApiKey.objects.get().last_used_at)
    assert noted[0] == noted[1]
    assert not_none(noted[2]) > not_none(noted[1])


def test_a_wrong_key_notes_nothing(client: Client) -> None:
    key, _secret = ApiKey.objects.create_key(name="billing", scopes=["read"])
    assert calls(client, f"{key.prefix}.wrong") == 401
    assert ApiKey.objects.get().last_used_at is None
