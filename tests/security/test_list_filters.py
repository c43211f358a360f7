"""A list filters only by what it offers: no filter reads out data letter by letter, and no odd one is an error."""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from billing.models import Payment
from integrations.connections.models import Chain, Connection, Location
from integrations.partner_events.models import WebhookEndpoint
from integrations.reconciliation.models import Finding
from integrations.user_tokens.models import UserToken
from partner_portal.core.admin_base import BaseAdmin
from tests.not_none import not_none
from tests.planting import give_calls
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db
LISTS = {
    model: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for model in admin.site._registry
}


@pytest.fixture
def viewer() -> Client:
    user = User.objects.create_user("viewer@partner.example", is_staff=True)
    user.groups.add(Group.objects.get(name=Role.VIEWER.value), Group.objects.get(name=Role.ADMINISTRATOR.value))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (UserToken, "token__startswith=gAAAA"),
        (UserToken, "token__regex=^gA"),
        (UserToken, "token=x"),
        (UserToken, "pk__in=1"),
        (Chain, "crm_token__startswith=g"),
        (Chain, "crm_token__gt=g"),
        (Chain, "locations__connections__owner__password__startswith=pbkdf2"),
        (WebhookEndpoint, "secret__startswith=g"),
        (Location, "connections__owner__password__startswith=a"),
        (Connection, "owner__password__startswith=a"),
        (Connection, "owner__email__startswith=a"),
        (Connection, "claim__startswith=u"),
        (User, "password__startswith=md5"),
        (User, "authenticator__key__startswith=g"),
        (User, "phone__startswith=3"),
        (Payment, "amount__gt=1"),
    ],
)
def test_no_column_is_read_out_through_a_filter(viewer: Client, model: Any, lookup: str) -> None:
    assert viewer.get(f"{LISTS[model]}?{lookup}").status_code == 400


OFFERED = [
    pytest.param(LISTS[model], query, id=f"{model.__name__}?{query}")
    for model, room in admin.site._registry.items()
    if isinstance(room, BaseAdmin)
    for _label, query in room.quick_filters
    if "/" not in query
]


@pytest.mark.parametrize(("page", "query"), OFFERED)
def test_a_lists_own_links_work(viewer: Client, page: str, query: str) -> None:
    assert viewer.get(f"{page}?{query}").status_code == 200


def test_the_findings_of_a_run_are_open(viewer: Client) -> None:
    Poisoned("text").row(Finding)
    give_calls()
    run = Finding.objects.get().run_id
    answer = viewer.get(f"{LISTS[Finding]}?run__id__exact={run}&needs_person__exact=0")
    assert answer.status_code == 200


VALUES = (
    "x",
    "9" * 30,
    "1e999",
    "\u202e'%",
    "0001-01-01",
    "9999-12-31 23:59:59-23:59",
    "2026-13-45",
    "1,2",
    "x" * 5000,
)
SYSTEM = ("q", "o", "p", "all", "_popup", "_to_field", "_facets", "e", "_changelist_filters", "_source_model")
FILTERED = [model for model, room in admin.site._registry.items() if room.list_filter]


# Django's own list filters build these two; other lookups are refused before their value is read.
BUILT, OTHERS = ("exact", "isnull"), ("gte", "lt", "isempty", "id__exact")


def offered(room: admin.ModelAdmin[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the parameters of the list's filters, and some of Django's lookups on them, each with values to try."""
    for entry in room.list_filter:
        first = entry[0] if isinstance(entry, tuple) else entry
        if isinstance(first, str):
            yield from ((f"{first}__{lookup}", VALUES) for lookup in BUILT)
            yield from ((f"{first}__{lookup}", VALUES[:2]) for lookup in OTHERS)
        else:
            assert isinstance(first, type)
            assert issubclass(first, admin.SimpleListFilter)
            yield not_none(first.parameter_name), VALUES


def status_of(client: Client, address: str) -> int:
    """Return the answer's status; a query that the database refuses leaves the test's transaction intact."""
    before = transaction.savepoint()
    try:
        return client.get(address).status_code
    finally:
        transaction.savepoint_rollback(before)


def failures(client: Client, page: str, parameters: Iterable[tuple[str, tuple[str, ...]]]) -> list[str]:
    asked = [urlencode({name: value}) for name, values in parameters for value in values]
    return [query for query in asked if status_of(client, f"{page}?{query}") >= 500]


@pytest.mark.filterwarnings("ignore:.*naive datetime:RuntimeWarning")
@pytest.mark.parametrize("model", FILTERED, ids=lambda model: model.__name__)
def test_no_odd_value_of_a_filter_is_an_error(viewer: Client, model: Any) -> None:
    assert failures(viewer, LISTS[model], offered(admin.site._registry[model])) == []


@pytest.mark.parametrize("model", [User, Connection, Payment], ids=lambda model: model.__name__)
def test_no_odd_search_order_or_page_is_an_error(viewer: Client, model: Any) -> None:
    assert failures(viewer, LISTS[model], [(name, VALUES) for name in SYSTEM]) == []


@pytest.mark.parametrize("page", ["%00/change/", "1%00/history/", "x%00y/delete/", "?q=%00", "?%00=1", "add/?x=%00"])
def test_a_nul_in_an_address_is_a_bad_request(viewer: Client, page: str) -> None:
    for address in LISTS.values():
        assert viewer.get(address + page).status_code == 400


@pytest.mark.parametrize("chosen", ["x", "1\x00", "9" * 30, "-1", ""])
def test_no_odd_choice_of_rows_is_an_error(viewer: Client, chosen: str) -> None:
    rooms = {model: ["delete_selected", *(room.actions or ())] for model, room in admin.site._registry.items()}
    answers = {
        (model.__name__, action): viewer.post(address, {"action": action, "_selected_action": chosen}).status_code
        for model, address in LISTS.items()
        for action in rooms[model]
    }
    assert [which for which, status in answers.items() if status >= 500] == []


def test_a_nul_in_a_form_is_a_bad_request(viewer: Client) -> None:
    for address in LISTS.values():
        assert viewer.post(f"{address}export/", {"ticket": "a\x00"}).status_code == 400
