"""Every staff action asks once, needs a right and is logged."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.roles import Role, bring_groups_up_to_date
from billing.models import Payment
from integrations.alerts.models import Alert
from tests.planting import give_calls
from tests.response import Response
from tests.security.poisoned import Poisoned
from tests.staff import member

pytestmark = pytest.mark.django_db


ACTIONS = [
    pytest.param(model, name, id=f"{model._meta.label}.{name}")
    for model, room in admin.site._registry.items()
    for name in room.actions or ()
    if isinstance(name, str)
]


def test_the_actions_to_check_are_found() -> None:
    assert len(ACTIONS) >= 8
    assert all(isinstance(name, str) for room in admin.site._registry.values() for name in room.actions or ())


@pytest.mark.parametrize(("model", "name"), ACTIONS)
def test_every_action_is_confirmed_and_needs_a_right_that_a_role_has(model: Any, name: str) -> None:
    action = getattr(type(admin.site._registry[model]), name)
    made = getattr(action, "is_confirmed", False) or getattr(action, "is_export", False)
    assert made, "made by neither `confirm_action` nor `exported`: it would neither ask nor be logged"
    app_label, codename = action.permission.split(".")
    right = Permission.objects.get(content_type__app_label=app_label, codename=codename)
    roles = set(right.group_set.values_list("name", flat=True))
    assert Role.ADMINISTRATOR.value in roles
    assert Role.VIEWER.value not in roles


def alert() -> Alert:
    return Alert.objects.create(key="a", kind="call", text="refused")


def is_open(row: Alert) -> bool:
    return Alert.objects.filter(pk=row.pk, cleared_at=None).exists()


def clear(client: Client, row: Alert, **more: str) -> Response:
    data = {"action": "clear", "_selected_action": row.pk, **more}
    return client.post(reverse("admin:alerts_alert_changelist"), data)


def test_an_action_asks_once_and_is_logged_with_who_did_it(client: Client) -> None:
    row, support = alert(), member(Role.SUPPORT)
    client.force_login(support)

    assert "Yes, do it" in clear(client, row).content.decode()
    assert is_open(row)

    clear(client, row, confirmed="yes")
    assert not is_open(row)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (support, str(row.pk), "Clear")


def test_every_role_can_look_up_staff_actions(client: Client) -> None:
    row = alert()
    client.force_login(member(Role.SUPPORT))
    clear(client, row, confirmed="yes")
    client.force_login(member(Role.VIEWER))
    page = client.get("/admin/admin/logentry/", {"q": "support@"}).content.decode()
    assert "Clear" in page
    assert reverse("admin:alerts_alert_change", args=[row.pk]) in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE, None])
def test_staff_without_the_right_are_not_offered_the_action_and_cannot_send_it(
    client: Client, role: Role | None
) -> None:
    row = alert()
    client.force_login(member(role))
    clear(client, row, confirmed="yes")
    assert is_open(row)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("role", Role)
def test_every_role_sees_the_first_page_and_the_lists(client: Client, role: Role) -> None:
    client.force_login(member(role))
    assert "From arrival to activation" in client.get("/admin/").content.decode()
    assert client.get(reverse("admin:connections_connection_changelist")).status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.FINANCE])
def test_only_an_administrator_gives_rights(client: Client, role: Role) -> None:
    client.force_login(member(role))
    other = member(None)
    client.post(reverse("admin:accounts_user_change", args=[other.pk]), {"email": other.email, "is_superuser": "on"})
    other.refresh_from_db()
    assert not other.is_superuser


def test_groups_are_brought_back_to_what_is_shipped_and_others_left_alone() -> None:
    viewer, own = Group.objects.get(name=Role.VIEWER.value), Group.objects.create(name="Interns")
    shipped = set(viewer.permissions.all())
    viewer.permissions.add(Permission.objects.get(codename="delete_user"))
    viewer.permissions.remove(Permission.objects.get(codename="view_connection"))
    bring_groups_up_to_date()
    bring_groups_up_to_date()
    assert set(viewer.permissions.all()) == shipped
    assert Group.objects.filter(pk=own.pk).exists()


def test_a_lost_group_comes_back_with_the_next_migrate() -> None:
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)


PAGES = [
    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
]
PAGES += [reverse("admin:billing_payment_totals"), reverse("admin:billing_payment_figures")]


@pytest.mark.parametrize("page", PAGES)
def test_staff_without_a_role_see_nothing(client: Client, page: str) -> None:
    client.force_login(member(None))
    assert client.get(page).status_code == 403


def test_staff_without_a_role_see_an_empty_first_page(client: Client) -> None:
    alert()
    client.force_login(member(None))
    page = client.get("/admin/").content.decode()
    assert "You don’t have permission to view or edit anything." in page
    assert "panel-1" not in page


def export(client: Client, **query: str) -> Response:
    payments = Payment.objects.values_list("pk", flat=True)
    data = {"action": "export", "_selected_action": list(payments)}
    return client.post(reverse("admin:billing_payment_changelist", query=query), data)


@pytest.mark.parametrize("role", [Role.FINANCE, Role.ADMINISTRATOR])
def test_an_export_is_logged_with_who_took_how_many_rows(client: Client, role: Role) -> None:
    Poisoned("Aurora").row(Payment)
    give_calls()
    LogEntry.objects.all().delete()
    taker = member(role)
    client.force_login(taker)

    assert "Aurora" in b"".join(export(client, status__exact=Payment.objects.get().status, q="")).decode()

    entry = LogEntry.objects.get()
    assert (entry.user, entry.get_change_message()) == (taker, "Export as CSV")
    page = reverse("admin:core_listexport_change", args=[entry.object_id])
    assert f'<a href="{page}">' in client.get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert "payments: 1 rows (status__exact=queued)" in client.get(page).content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, None])
def test_staff_without_the_right_export_nothing(client: Client, role: Role | None) -> None:
    Poisoned("Aurora").row(Payment)
    give_calls()
    client.force_login(member(role))
    assert not export(client).streaming
    assert not LogEntry.objects.filter(change_message__startswith="Export").exists()
