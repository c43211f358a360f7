"""The work that the suite does once leaves the database as Django itself would."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import TransactionTestCase

from accounts.models import User
from tests.once import empty_what_is_filled

pytestmark = pytest.mark.django_db(transaction=True)


def end_of_a_transactional_test() -> None:
    empty_what_is_filled(TransactionTestCase("__init__"))


def rights() -> set[tuple[str, str]]:
    return {(group, right) for group, right in Group.objects.values_list("name", "permissions__codename") if right}


def test_rows_go_and_the_roles_stay_as_they_are() -> None:
    end_of_a_transactional_test()
    before, permissions = rights(), set(Permission.objects.values_list("pk", flat=True))
    emma = User.objects.create_user("emma@owner.example")
    emma.groups.add(Group.objects.earliest("pk"))
    end_of_a_transactional_test()
    assert not User.objects.exists()
    assert rights() == before != set()
    assert set(Permission.objects.values_list("pk", flat=True)) == permissions, "they are not made anew"


def test_roles_that_a_test_changed_come_back() -> None:
    end_of_a_transactional_test()
    before = rights()
    Group.objects.earliest("pk").permissions.clear()
    Group.objects.latest("pk").delete()
    end_of_a_transactional_test()
    assert rights() == before != set()
