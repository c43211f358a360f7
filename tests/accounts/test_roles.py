"""What members of staff may do, and that every action asks once, needs a right and is logged."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role, bring_groups_up_to_date
from integrations.models import Alarm

pytestmark = pytest.mark.django_db


def member(role: Role | None) -> User:
    user = User.objects.create_user(f"{role or 'nobody'}@partner.example", is_staff=True)
    if role:
        user.groups.add(Group.objects.get(name=role.value))
    return user


# They read, and change nothing here or at Altegio.
READING = {"billing.Payment.export"}
ACTIONS = [
    pytest.param(model, name, id=f"{model._meta.label}.{name}")
    for model, room in admin.site._registry.items()
    for name in room.actions
    if isinstance(name, str) and f"{model._meta.label}.{name}" not in READING
]


def test_there_are_actions_to_look_at():
    assert len(ACTIONS) >= 8
    assert all(isinstance(name, str) for room in admin.site._registry.values() for name in room.actions)


@pytest.mark.parametrize(("model", "name"), ACTIONS)
def test_every_action_is_confirmed_and_needs_a_right_that_a_role_has(model, name):
    action = getattr(type(admin.site._registry[model]), name)
    assert getattr(action, "is_confirmed", False), "not made by `confirmed`: it would neither ask nor be logged"
    app_label, codename = action.permission.split(".")
    right = Permission.objects.get(content_type__app_label=app_label, codename=codename)
    roles = set(right.group_set.values_list("name", flat=True))
    assert Role.ADMINISTRATOR.value in roles
    assert Role.VIEWER.value not in roles


def alarm() -> Alarm:
    return Alarm.objects.create(key="a", kind="call", text="refused")


def is_open(row: Alarm) -> bool:
    return Alarm.objects.filter(pk=row.pk, cleared_at=None).exists()


def clear(client: Client, row: Alarm, **more: str):
    data = {"action": "clear", "_selected_action": row.pk, **more}
    return client.post(reverse("admin:integrations_alarm_changelist"), data)


def test_an_action_asks_once_and_is_logged_with_who_did_it(client):
    row, support = alarm(), member(Role.SUPPORT)
    client.force_login(support)

    assert "Yes, do it" in clear(client, row).content.decode()
    assert is_open(row)

    clear(client, row, confirmed="yes")
    assert not is_open(row)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (support, str(row.pk), "Clear")


def test_what_staff_did_can_be_looked_up_by_every_role(client):
    row = alarm()
    client.force_login(member(Role.SUPPORT))
    clear(client, row, confirmed="yes")
    client.force_login(member(Role.VIEWER))
    page = client.get("/admin/admin/logentry/", {"q": "support@"}).content.decode()
    assert "Clear" in page
    assert reverse("admin:integrations_alarm_change", args=[row.pk]) in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE, None])
def test_who_lacks_the_right_is_not_offered_the_action_and_cannot_send_it(client, role):
    row = alarm()
    client.force_login(member(role))
    clear(client, row, confirmed="yes")
    assert is_open(row)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("role", Role)
def test_every_role_sees_the_first_page_and_the_lists(client, role):
    client.force_login(member(role))
    assert "From arrival to activation" in client.get("/admin/").content.decode()
    assert client.get(reverse("admin:integrations_connection_changelist")).status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.FINANCE])
def test_only_an_administrator_gives_rights(client, role):
    client.force_login(member(role))
    other = member(None)
    client.post(reverse("admin:accounts_user_change", args=[other.pk]), {"email": other.email, "is_superuser": "on"})
    other.refresh_from_db()
    assert not other.is_superuser


def test_groups_are_brought_back_to_what_is_shipped_and_others_left_alone():
    viewer, own = Group.objects.get(name=Role.VIEWER.value), Group.objects.create(name="Interns")
    shipped = set(viewer.permissions.all())
    viewer.permissions.add(Permission.objects.get(codename="delete_user"))
    viewer.permissions.remove(Permission.objects.get(codename="view_connection"))
    bring_groups_up_to_date()
    bring_groups_up_to_date()
    assert set(viewer.permissions.all()) == shipped
    assert Group.objects.filter(pk=own.pk).exists()


def test_a_lost_group_comes_back_with_the_next_migrate():
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)
