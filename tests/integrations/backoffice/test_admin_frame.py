"""The control room's frame: a menu by task, a search on every page, lists that fit, states as words."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from integrations.connections.models import Connection
from partner_portal.core.admin_sections import InMenu, Section

pytestmark = pytest.mark.django_db
LIST = "/admin/connections/connection/"


def sections(page: str) -> list[str]:
    """The headings of the menu."""
    return re.findall(r"<caption>([^<]+)</caption>", page)


def test_the_menu_is_laid_out_by_task(admin_client: Client) -> None:
    found = sections(admin_client.get(LIST).content.decode())
    assert found == [str(section.title) for section in Section]


@pytest.mark.parametrize("room", admin.site._registry.values(), ids=lambda room: type(room).__name__)
def test_every_list_has_a_place_of_its_own_in_the_menu(room: Any) -> None:
    assert room.menu != InMenu.menu, "Give it a place: menu = Section.….at(…)."
    assert [other for other in admin.site._registry.values() if getattr(other, "menu", None) == room.menu] == [room]


def test_staff_see_only_sections_that_hold_something_for_them(client: Client, django_user_model: Any) -> None:
    viewer = django_user_model.objects.create_user("viewer@portal.example", "long-password-9", is_staff=True)
    viewer.user_permissions.add(
        *viewer.user_permissions.model.objects.filter(codename__in=["view_payment", "view_alert"])
    )
    client.force_login(viewer)
    assert sections(client.get("/admin/").content.decode()) == ["Today", "Money"]


@pytest.mark.parametrize("path", ["/admin/", LIST, "/admin/billing/payment/"])
def test_every_page_asks_who_is_calling(admin_client: Client, path: str) -> None:
    page = admin_client.get(path).content.decode()
    assert f'role="search" action="{LIST}"' in page


def test_a_state_is_a_coloured_word_and_a_moment_can_be_read_by_the_browser(
    admin_client: Client, connect: Callable[..., Connection]
) -> None:
    connection = connect(10101)
    page = admin_client.get(LIST).content.decode()
    assert '<span class="word good">active</span>' in page
    assert f'<time datetime="{connection.arrived_at.isoformat()}">' in page


def test_each_cell_of_a_card_says_what_it_is(admin_client: Client, connect: Callable[..., Connection]) -> None:
    connect(10101)
    row = admin_client.get(LIST).content.decode().split("<tbody>")[1]
    assert re.findall(r'data-label="([^"]+)"', row) == [
        "Location", "State", "Time left", "Reason", "Owner", "Arrived", "Application",
    ]  # fmt: skip


def test_filters_are_folded_and_say_when_one_is_on(admin_client: Client) -> None:
    assert "<summary>Filter</summary>" in admin_client.get(LIST).content.decode()
    assert "<summary>Filter (on)</summary>" in admin_client.get(f"{LIST}?state__exact=frozen").content.decode()
