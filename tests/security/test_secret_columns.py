"""No page of the control room shows a secret to any role: every page is checked with all secrets set."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.test import Client
from django.urls import reverse

from accounts.models import AltegioIdentity, User
from accounts.roles import Role
from integrations.connections.models import Application
from integrations.user_tokens.models import UserToken
from partner_portal.core.admin_base import BaseAdmin
from partner_portal.core.encryption import EncryptedTextField, is_secret
from tests.planting import give_calls
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db
MARK = "Recognisable"
ROOMS = list(admin.site._registry.items())
SECRET_MODELS = [model for model in apps.get_models() if any(map(is_secret, model._meta.concrete_fields))]


def address(model: type[models.Model], page: str, *args: object, **query: str) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args, query=query)


@pytest.fixture
def secrets() -> None:
    """Make a row of every model that the control room shows or that holds a secret; each secret is recognisable."""
    rows = Poisoned("text", Application={"kind": "sms", "altegio_id": 1}, User={"is_staff": False})
    shown: set[type[models.Model]] = {*admin.site._registry, *SECRET_MODELS, AltegioIdentity}
    for model in shown:
        rows.row(model)
    give_calls()
    for model in SECRET_MODELS:
        for field in filter(is_secret, model._meta.concrete_fields):
            # A password hash has a form; its salt and digest must not be shown.
            value = f"md5${MARK}${MARK}" if field.name == "password" else f"{MARK}-{field.name}"
            model._default_manager.all().update(**{field.name: value[: field.max_length]})


def member(role: Role | None) -> Client:
    user = User.objects.create_user("member@partner.example", is_staff=True, is_superuser=role is None)
    if role:
        user.groups.add(Group.objects.get(name=role.value))
    client = Client()
    client.force_login(user)
    return client


def pages(role: Role | None) -> Iterator[str]:
    """Yield every page that shows rows: lists, searches and details; also pop-ups and sorted lists for
    administrators.
    """
    lists: tuple[dict[str, str], ...] = ({}, {"q": "1"}) if role else ({}, {"_popup": "1"}, {"q": "1"}, {"o": "-1"})
    yield reverse("admin:index")
    yield reverse("admin:billing_payment_totals")
    yield reverse("admin:billing_payment_figures")
    for model, _room in ROOMS:
        yield from (address(model, "changelist", **query) for query in lists)
        yield address(model, "add")
        for row in model._default_manager.all()[:1]:
            yield from (address(model, page, row.pk) for page in ("change", "history", "delete"))
            if role is None:
                yield address(model, "change", row.pk, _popup="1", _to_field=model._meta.pk.name)
        for name in (field.name for field in model._meta.concrete_fields if field.is_relation):
            asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": name}
            yield reverse("admin:autocomplete", query=asked)


@pytest.mark.parametrize("role", [*Role, None])
def test_no_page_shows_a_secret(secrets: None, role: Role | None) -> None:
    client, seen = member(role), 0
    for page in pages(role):
        answer = client.get(page)
        assert MARK not in answer.content.decode(), page
        seen += answer.status_code == 200
    assert seen > 60, "the pages were there"


@pytest.mark.parametrize("role", [*Role, None])
def test_no_action_shows_a_secret(secrets: None, role: Role | None) -> None:
    client = member(role)
    for model, room in ROOMS:
        for action in [*list(room.actions or ()), "delete_selected"]:
            chosen = {"action": action, "_selected_action": [str(row.pk) for row in model._default_manager.all()]}
            answer = client.post(address(model, "changelist"), chosen, follow=True)
            assert MARK not in answer.getvalue().decode(), (model, action)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, None])
def test_no_refused_form_shows_a_secret(secrets: None, role: Role | None) -> None:
    """A form shown again holds what was typed, and never what is stored."""
    client = member(role)
    for model in (UserToken, Application, User):
        answer = client.post(address(model, "change", model._default_manager.earliest("pk").pk), {"kind": "none"})
        assert MARK not in answer.content.decode()


def test_every_screen_stands_under_the_rules() -> None:
    assert [model for model, room in ROOMS if not isinstance(room, BaseAdmin)] == []


def test_every_encrypted_column_is_known_as_a_secret() -> None:
    columns = {
        f"{model.__name__}.{field.name}"
        for model in SECRET_MODELS
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    }
    assert {"UserToken.token", "WebhookEndpoint.secret", "Installation.api_key", "Authenticator.key"} <= columns


@pytest.mark.parametrize(
    "named",
    [
        {"list_display": ("token",)},
        {"list_filter": ("token",)},
        {"list_filter": (("token", admin.EmptyFieldListFilter),)},
        {"search_fields": ("location__altegio_id", "token__startswith")},
        {"readonly_fields": ("token",)},
        {"ordering": ("-token",)},
    ],
    ids=str,
)
def test_a_screen_that_names_a_secret_does_not_start(named: dict[str, Any]) -> None:
    careless = type("Careless", (BaseAdmin,), named)(UserToken, admin.site)
    assert "portal.E010" in [found.id for found in careless.check()]
