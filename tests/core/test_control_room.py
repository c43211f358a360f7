"""Every list of the control room stays fast at a million rows."""

from typing import Any
from urllib.parse import urljoin

import pytest
from django.contrib import admin
from django.contrib.admin.filters import AllValuesFieldListFilter, FieldListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import ForeignKey
from django.test import Client, RequestFactory

from accounts.models import User
from integrations.connections.models import Application
from partner_portal.core.admin_base import ReadOnlyAdmin, Uncounted

REGISTERED = admin.site._registry.values()
# These tables hold few rows by their nature.
SMALL = {"auth.Group", "accounts.ApiKey", "connections.Application", "billing.TariffOption"}


def each(*rooms: admin.ModelAdmin[Any]) -> pytest.MarkDecorator:
    """Parametrize a test by the models, under their names."""
    return pytest.mark.parametrize("room", [pytest.param(room, id=room.model._meta.label) for room in rooms])


@each(*(room for room in REGISTERED if room.model._meta.label not in SMALL))
def test_no_list_counts_its_table_or_its_filters(room: admin.ModelAdmin[Any]) -> None:
    assert room.paginator is Uncounted
    assert room.show_full_result_count is False
    assert room.show_facets is admin.ShowFacets.NEVER
    assert room.date_hierarchy is None


@each(*REGISTERED)
def test_no_filter_reads_the_table_for_its_choices_or_loads_thousands(room: admin.ModelAdmin[Any]) -> None:
    for item in room.list_filter:
        if isinstance(item, str):
            field = get_fields_from_path(room.model, item)[-1]
            if isinstance(field, ForeignKey):
                assert field.related_model is Application or room.model is User, item
            else:
                kinds = [kind for test, kind in vars(FieldListFilter)["_field_list_filters"] if test(field)]
                assert kinds[0] is not AllValuesFieldListFilter, f"{item}: all values of the column are read"


@each(*(room for room in REGISTERED if isinstance(room, ReadOnlyAdmin)))
def test_evidence_has_no_order_without_an_index(room: admin.ModelAdmin[Any]) -> None:
    assert room.sortable_by == ()


@pytest.mark.django_db
@each(*REGISTERED)
def test_every_list_answers_its_search_and_quick_filters(room: admin.ModelAdmin[Any], client: Client) -> None:
    client.force_login(User.objects.create_superuser("anna@partner.example"))
    address = f"/admin/{room.model._meta.app_label}/{room.model._meta.model_name}/"
    for term in ("777", "#777", "anna@partner", "Salon", "+38050", "9" * 30, "%"):
        assert client.get(address, {"q": term}).status_code == 200
    for _label, query in getattr(room, "quick_filters", ()):
        question = urljoin(address, query) if "/" in query else f"{address}?{query}"
        assert client.get(question).status_code == 200


def test_an_address_typed_without_its_scheme_is_an_https_one(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = User(is_superuser=True)
    form = admin.site._registry[Application].get_form(request)
    assert form.base_fields["tips_url"].clean("tips.salon.example") == "https://tips.salon.example"


@pytest.mark.django_db
@pytest.mark.parametrize(("most", "said", "offered"), [(3, "3 users", True), (2, "more than 2 users", False)])
def test_a_list_never_presents_some_of_its_rows_as_all(
    client: Client, monkeypatch: pytest.MonkeyPatch, most: int, said: str, offered: bool
) -> None:
    monkeypatch.setattr(Uncounted, "MAX_COUNT", most)
    monkeypatch.setattr(admin.site._registry[User], "list_per_page", 1)
    client.force_login(User.objects.create_superuser("anna@partner.example"))
    for name in ("ben", "cleo"):
        User.objects.create_user(f"{name}@salon.example")
    page = " ".join(client.get("/admin/accounts/user/").content.decode().split())
    assert f"{said} " in page
    assert ("Select all 3 users" in page) is offered


@pytest.mark.django_db
def test_a_search_says_that_it_found_more_than_is_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Uncounted, "MAX_COUNT", 1)
    client.force_login(User.objects.create_superuser("anna@salon.example"))
    User.objects.create_user("anna@salon.example.org")
    assert "more than 1 results" in client.get("/admin/accounts/user/?q=anna@salon").content.decode()
