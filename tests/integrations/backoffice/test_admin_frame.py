"""The control room has a menu by task, a search on every page, lists that fit, and states as words."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import User
from integrations.connections.models import Connection
from integrations.outbox.models import OutgoingCall
from partner_portal.core.admin_sections import InMenu, Section
from tests.planting import give_calls
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db
LIST = "/admin/connections/connection/"


def sections(page: str) -> list[str]:
    """Return the headings of the menu."""
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


ROOMS = list(admin.site._registry.values())
# The server writes a moment that no script formats like this: "Nov. 26, 2026, 1:05 p.m."
WRITTEN_OUT = re.compile(r"[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4}, ")


def bare_moments(client: Client, room: Any) -> list[str]:
    """Return the moments in a list's cells that the browser does not format."""
    opts = room.model._meta
    page = client.get(f"/admin/{opts.app_label}/{opts.model_name}/").content.decode()
    cells = re.sub(r"<time .*?</time>", "", page.partition("<tbody>")[2].partition("</tbody>")[0])
    return WRITTEN_OUT.findall(cells) if cells else ["no row"]


def test_every_moment_of_a_list_is_in_the_readers_own_time(admin_client: Client) -> None:
    rows = Poisoned("Aurora", Application={"kind": "sms", "altegio_id": 1}, Connection={"state": "active"})
    for room in ROOMS:
        rows.row(room.model)
    give_calls()
    found = {room.model.__name__: bare_moments(admin_client, room) for room in ROOMS}
    assert {name: moments for name, moments in found.items() if moments} == {}


def fields_of(room: Any, request: HttpRequest) -> dict[str, forms.Field]:
    """Return the fields of a screen's forms, for a new and for an existing row, and beside it."""
    classes = [room.get_form(request)] if room.has_add_permission(request) else []
    classes += [room.get_form(request, room.model(), change=True)] if room.has_change_permission(request) else []
    classes += [inline.get_formset(request).form for inline in room.get_inline_instances(request)]
    return {f"{room.model.__name__}.{name}": field for form in classes for name, field in form.base_fields.items()}


def test_no_form_asks_people_for_json(rf: RequestFactory, admin_user: User) -> None:
    request = rf.get("/")
    request.user = admin_user
    fields = {name: field for room in ROOMS for name, field in fields_of(room, request).items()}
    assert len(fields) > 40
    assert [name for name, field in fields.items() if isinstance(field, forms.JSONField)] == []


def test_json_that_is_only_shown_is_laid_out_and_masked(admin_client: Client) -> None:
    """The test plants a call that nothing waits for."""
    call = OutgoingCall.objects.create(
        kind="activate", key="k", state="done", priority=0, deadline_at=timezone.now(),
        params={"api_key": "Recognisable", "webhook_urls": ["https://a.example"]},
    )  # fmt: skip
    page = unescape(admin_client.get(f"/admin/outbox/outgoingcall/{call.pk}/change/").content.decode())
    assert '<pre>{\n  "api_key": "•••",\n  "webhook_urls": [\n    "https://a.example"\n  ]\n}</pre>' in page
    assert "Recognisable" not in page
