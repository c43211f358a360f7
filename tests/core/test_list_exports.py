"""Every list of the control room can be exported as it is shown, by staff with the right, and on the record."""

import csv
import gc
import io
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from integrations.connections.models import Location
from integrations.messaging.models import RequestedMessage
from partner_portal.core import list_exports
from partner_portal.core.list_columns import ListColumns
from partner_portal.core.models import FailedItem, ListExport
from tests.planting import give_calls
from tests.response import Response
from tests.security.poisoned import Poisoned

pytestmark = pytest.mark.django_db
# The same filter comes with two values, and the list heeds both.
DEAD = "dead=no&dead=yes"
ROOMS: list[Any] = list(admin.site._registry.values())


def address(model: Any, page: str = "export", **query: str) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", query=query)


def member(role: Role | None) -> User:
    user = User.objects.create_user(f"{role or 'root'}@partner.example", is_staff=True, is_superuser=role is None)
    if role:
        user.groups.add(Group.objects.get(name=role.value))
    return user


@pytest.fixture
def administrator(client: Client) -> User:
    user = member(None)
    client.force_login(user)
    return user


def text_of(answer: Response) -> str:
    return b"".join(answer).decode()


def lines_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def rows_of(answer: Response) -> list[list[str]]:
    """Return the file's lines without its header."""
    return lines_of(text_of(answer))[1:]


def leave(answer: Response, pages: int = 0) -> None:
    """Read the header and so many pages, then go: the server closes the answer, as the test client does."""
    lines = iter(answer)
    for _ in range(1 + pages):
        next(lines)
    cast("Any", answer)._iterator.close()


def locations(count: int) -> None:
    Location.objects.bulk_create(
        Location(altegio_id=number, title=f"Aurora {number % 7}", city="Kyiv" if number % 2 else "Lviv")
        for number in range(1, count + 1)
    )


@pytest.fixture
def everything() -> None:
    """Make a row for every list."""
    rows = Poisoned("Aurora", Application={"kind": "sms", "altegio_id": 1}, Connection={"state": "active"})
    for room in ROOMS:
        rows.row(room.model)
    give_calls()


def file_of(client: Client, room: Any) -> tuple[int, int, bool]:
    """Return the file's number of columns, its number of lines, and whether it holds markup of the page."""
    lines = lines_of(text_of(client.post(address(room.model))))
    return len(lines[0]), len(lines), "<a " in str(lines) or "<span" in str(lines)


def test_every_list_is_exported_with_the_columns_that_it_shows(
    client: Client, administrator: User, everything: None
) -> None:
    ListExport.objects.all().delete()
    files = {room.model.__name__: file_of(client, room) for room in ROOMS if room.model is not ListExport}
    assert {name: file for name, file in files.items() if file[1] < 2 or file[2]} == {}
    shown = {room.model.__name__: len(room.list_display) for room in ROOMS if room.model is not ListExport}
    assert {name: columns for name, (columns, _lines, _markup) in files.items()} == shown


def queries_for_one_row(request: HttpRequest, room: Any) -> list[str]:
    columns = ListColumns(room, room.columns(request))
    [row] = room.get_changelist_instance(request).queryset[:1]
    with CaptureQueriesContext(connection) as asked:
        columns.values(row)
    return [query["sql"] for query in asked]


def test_a_row_is_drawn_without_asking_the_database(
    rf: RequestFactory, administrator: User, everything: None
) -> None:
    request = rf.get("/")
    request.user = administrator
    FailedItem.objects.update(queue="calls")
    asked = {room.model.__name__: queries_for_one_row(request, room) for room in ROOMS}
    assert {name: queries for name, queries in asked.items() if queries} == {}


def test_all_rows_of_the_filter_and_the_search_go_out_in_the_lists_order(client: Client, administrator: User) -> None:
    locations(120)
    assert len(rows_of(client.post(address(Location)))) == 120
    found = rows_of(client.post(address(Location, q="Aurora 3")))
    numbers = [int(row[1]) for row in found]
    assert numbers == sorted((number for number in range(1, 121) if number % 7 == 3), reverse=True)


def test_a_filter_that_the_list_does_not_offer_is_refused(client: Client, administrator: User) -> None:
    assert client.post(address(User, password__startswith="md5")).status_code == 400


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.VIEWER, False), (Role.SUPPORT, False), (Role.FINANCE, True), (Role.ADMINISTRATOR, True)],
)
def test_finance_and_administrators_export_lists(client: Client, role: Role, may: bool) -> None:
    client.force_login(member(role))
    assert (">Export as CSV</a>" in client.get(address(Location, "changelist")).content.decode()) is may
    assert client.get(address(Location)).status_code == (200 if may else 403)
    answer = client.post(address(Location))
    assert answer.status_code == (200 if may else 403)
    assert ListExport.objects.exists() is may
    if may:
        text_of(answer)


def test_nobody_exports_a_list_that_they_may_not_see(client: Client) -> None:
    user = User.objects.create_user("clerk@partner.example", is_staff=True)
    user.user_permissions.add(
        *user.user_permissions.model.objects.filter(codename__in=["add_listexport", "view_payment"])
    )
    client.force_login(user)
    assert client.post(address(Location)).status_code == 403


def test_an_export_is_logged_with_who_exported_what(client: Client, administrator: User) -> None:
    locations(3)
    text_of(client.post(address(Location, q="Aurora", o="2")))
    export = ListExport.objects.get()
    assert (export.user, export.list_name, export.filters, export.is_searched) == (
        administrator,
        "locations",
        "o=2",
        True,
    )
    assert (export.total, export.handed_out, export.outcome) == (3, 3, "whole")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (
        administrator,
        str(export.pk),
        "Export as CSV",
    )
    page = client.get(address(ListExport, "changelist")).content.decode()
    assert '<span class="word good">whole</span>' in page
    assert "Aurora" not in page, "what was searched for may be somebody's name"


def test_the_log_shows_all_filters_of_an_export(client: Client, administrator: User) -> None:
    text_of(client.post(f"{address(FailedItem)}?_facets={'x' * 400}&{DEAD}&o=1"))
    assert ListExport.objects.get().filters == f"{DEAD}&o=1"


def test_filters_too_long_for_the_log_export_nothing(client: Client, administrator: User) -> None:
    answer = client.post(f"{address(FailedItem)}?{DEAD}&o={'1.' * 200}", follow=True)
    assert "More filters than can be kept on record" in answer.content.decode()
    assert not ListExport.objects.exists()


def test_an_aborted_export_logs_how_many_rows_left(
    client: Client, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_exports, "PAGE", 4)
    locations(10)
    leave(client.post(address(Location)), pages=1)
    export = ListExport.objects.get()
    assert (export.handed_out, export.total, export.outcome) == (4, 10, "broken_off")
    assert export.ended_at is not None


def test_an_export_whose_server_died_is_aborted_too(administrator: User) -> None:
    export = ListExport.objects.create(user=administrator, list_name="locations", total=10, handed_out=4)
    assert export.outcome == "running"
    export.moved_at -= ListExport.IDLE
    assert export.outcome == "broken_off"


@pytest.fixture
def full() -> Iterator[None]:
    """Take all places that a process has for downloads."""
    taken = [list_exports._places.get_nowait() for _ in range(list_exports.MAX_AT_ONCE)]
    yield
    for place in taken:
        list_exports._places.put(place)


def test_exports_leave_threads_for_altegio(client: Client, administrator: User, full: None) -> None:
    answer = client.post(address(Location))
    assert answer.status_code == 302
    assert "Try again when one of them is through." in client.get(answer.headers["Location"]).content.decode()
    assert not ListExport.objects.exists()


def test_an_ended_download_makes_room(client: Client, administrator: User) -> None:
    for _ in range(list_exports.MAX_AT_ONCE + 1):
        text_of(client.post(address(Location)))
        leave(client.post(address(Location)))
    assert ListExport.objects.count() == 2 * (list_exports.MAX_AT_ONCE + 1)


def test_a_download_that_is_thrown_away_unread_makes_room(administrator: User) -> None:
    for _ in range(list_exports.MAX_AT_ONCE + 1):
        export = ListExport(user_id=administrator.pk, list_name="locations", total=0)
        list_exports.stream(export, Location.objects.order_by("pk"), [], list, "locations.csv")
        gc.collect()
    assert list_exports._places.qsize() == list_exports.MAX_AT_ONCE


def test_the_page_can_ask_how_far_it_is(client: Client, administrator: User) -> None:
    locations(3)
    assert client.get(address(Location, "export_progress", ticket="abc")).json() == {}
    answer = client.post(address(Location), {"ticket": "abc"})
    begun = client.get(address(Location, "export_progress", ticket="abc")).json()
    text_of(answer)
    over = client.get(address(Location, "export_progress", ticket="abc")).json()
    assert begun == {"text": "0 of 3 rows", "handed_out": 0, "is_over": False}
    assert over == {"text": "All is handed over: 3 rows.", "handed_out": 3, "is_over": True}


def test_nobody_sees_the_progress_of_another_persons_download(client: Client, administrator: User) -> None:
    text_of(client.post(address(Location), {"ticket": "abc"}))
    client.force_login(member(Role.ADMINISTRATOR))
    assert client.get(address(Location, "export_progress", ticket="abc")).json() == {}


def queries_of(client: Client, count: int) -> int:
    Location.objects.all().delete()
    locations(count)
    with CaptureQueriesContext(connection) as asked:
        assert len(rows_of(client.post(address(Location)))) == count
    return len(asked)


def test_ten_rows_and_a_thousand_need_the_same_queries(client: Client, administrator: User) -> None:
    few = queries_of(client, 10)
    assert queries_of(client, list_exports.PAGE - 1) == few
    # Each further page is read and counted.
    assert queries_of(client, 3 * list_exports.PAGE - 1) == few + 4


def test_a_spreadsheet_reads_it_as_it_is_meant(client: Client, administrator: User) -> None:
    location = Location.objects.create(altegio_id=7, title='=HYPERLINK("x")', phone="+380501", city="Київ")
    text = text_of(client.post(address(Location)))
    [_head, row] = lines_of(text)
    assert text.startswith("\ufeff"), "Excel takes it for UTF-8"
    assert (row[0].removesuffix(" (#7)"), row[1], row[3], row[5]) == ('\'=HYPERLINK("x")', "7", "Київ", "'+380501")
    Location.objects.filter(pk=location.pk).update(fetched_at="2026-11-26T13:05:06+01:00")
    assert rows_of(client.post(address(Location)))[0][6] == "2026-11-26T12:05:06Z"


def test_values_masked_in_the_list_are_masked_in_the_file(client: Client, administrator: User) -> None:
    Poisoned("Aurora", RequestedMessage={"phone": "+380501234567"}).row(RequestedMessage)
    give_calls()
    assert "•••67" in text_of(client.post(address(RequestedMessage)))


def test_the_file_has_a_name_that_the_page_tells(client: Client, administrator: User) -> None:
    answer = client.post(address(Location))
    name = answer.headers["Content-Disposition"].split('"')[1]
    text_of(answer)
    assert name.startswith("locations-20")
    assert name in client.get(address(Location)).content.decode()
