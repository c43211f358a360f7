"""Staff who may change a connection write notes on it, newest first, which are erased with the person."""

from contextlib import suppress

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.erasure import erase_person
from accounts.models import User
from accounts.personal_data import export_person
from integrations.backoffice.models import ConnectionNote
from integrations.backoffice.timeline.by_staff import by_staff
from integrations.backoffice.timeline.entries import timeline
from integrations.connect.claimants import visitor_of
from integrations.connections.models import Arrival, Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(client: Client, altegio: Sandbox, work: Work) -> Connection:
    arrive(client, altegio, AURORA_1)
    work()
    return Connection.objects.get()


def member_of(group: str) -> Client:
    person = User.objects.create_user(f"{group.lower()}@partner.example", is_staff=True)
    person.groups.set([person.groups.model.objects.get(name=group)])
    client = Client()
    client.force_login(person)
    return client


def write(staff: Client, case: Connection, text: str) -> Response:
    return staff.post(reverse("admin:connections_connection_note", args=[case.pk]), {"text": text}, follow=True)


def test_a_note_stands_on_the_page_newest_first_and_in_the_timeline(case: Connection) -> None:
    staff = member_of("Support")
    write(staff, case, "First call")
    page = write(staff, case, "Second <b>call</b>").content.decode()
    assert "Second &lt;b&gt;call" in page
    assert page.index("Second &lt;b&gt;call") < page.index("First call")
    assert "support@partner.example" in page
    assert [entry.detail for entry in timeline(case) if entry.kind == "note"] == ["First call", "Second <b>call</b>"]
    assert LogEntry.objects.filter(change_message="Note added").count() == 2
    assert not LogEntry.objects.filter(change_message__contains="call").exists()


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_an_empty_or_endless_note_is_not_kept(case: Connection, text: str) -> None:
    write(member_of("Support"), case, text)
    assert not ConnectionNote.objects.exists()


def test_staff_without_the_right_read_notes_but_write_none(case: Connection) -> None:
    viewer = member_of("Viewer")
    ConnectionNote.objects.create(connection=case, text="First call")
    assert write(viewer, case, "No").status_code == 403
    page = viewer.get(reverse("admin:connections_connection_change", args=[case.pk])).content.decode()
    assert "First call" in page
    assert "Keep the note" not in page


def test_a_note_is_written_by_a_post_alone(case: Connection) -> None:
    address = reverse("admin:connections_connection_note", args=[case.pk])
    assert member_of("Support").get(address).status_code == 405


def test_the_person_takes_notes_along_and_their_erasure_deletes_them(case: Connection) -> None:
    owner = User.objects.get(connections=case)
    write(member_of("Support"), case, "Emma has moved to Leeds")
    assert [note["text"] for note in export_person(owner)["notes_by_staff"]] == ["Emma has moved to Leeds"]
    erase_person(owner)
    assert not ConnectionNote.objects.exists()


def test_notes_on_waiting_claims_of_the_person_go_too_and_others_stay(case: Connection) -> None:
    maria = User.objects.create_user("maria@medved.example")
    ConnectionNote.objects.create(connection=case, text="Of Emma")
    erase_person(maria)
    assert ConnectionNote.objects.exists()
    expected = User.objects.create_user("olga@medved.example")
    Arrival.objects.update(user=None, expected_user=expected, expected_address_hash=visitor_of(expected))
    erase_person(expected)
    assert not ConnectionNote.objects.exists()


def test_staff_actions_are_read_through_an_index(case: Connection) -> None:
    if database.vendor != "postgresql":
        pytest.skip("SQLite has no index there: its lists are small.")
    with CaptureQueriesContext(database) as asked, suppress(StopIteration):
        next(iter(by_staff(case)))
    with database.cursor() as cursor:
        # PostgreSQL reads a small table whole, but not a million rows.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked.captured_queries[-1]['sql'].replace('%', '%%')}", ())
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "admin_log_of_a_row" in plan
