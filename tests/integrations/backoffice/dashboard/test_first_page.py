"""The control room's first page shows right numbers, each leading to its list, in a constant number of queries."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import User
from integrations.alerts.models import Alert
from integrations.backoffice.dashboard import panels
from integrations.backoffice.dashboard.days import counts_by_day, sum_ended_days
from integrations.backoffice.health import HEARTBEAT
from integrations.backoffice.models import DailyCounts
from integrations.connections.models import Application, Connection, ConnectionChange, Location, State
from integrations.outbox.models import OutgoingCall
from partner_portal.core.console_email import PRINTED
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, MARIA, arrive, emails_go_out, follow
from tests.working import Work

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def first_page(staff: Client) -> str:
    return staff.get("/admin/").content.decode()


def number(page: str, name: str) -> str:
    """Return the number below a title of the first page."""
    found = re.search(rf'<div class="number {name}[^"]*"><dt>[^<]*</dt><dd><a href="[^"]*"[^>]*>([^<]*)</a>', page)
    return found.group(1) if found else ""


def make_connections(count: int, **fields: Any) -> list[Connection]:
    """Make connections without an arrival, for lists and counts."""
    application = Application.objects.get_or_create(altegio_id=1)[0]
    start = Location.objects.count() + 1
    places = Location.objects.bulk_create(Location(altegio_id=start + number) for number in range(count))
    now = datetime.now(UTC)
    times = {"arrived_at": now, "last_arrived_at": now, "deadline_at": now + timedelta(hours=1)} | fields
    rows = Connection.objects.bulk_create(
        Connection(application=application, location=place, claim=f"u:{place.pk}", **times) for place in places
    )
    ConnectionChange.objects.bulk_create(
        ConnectionChange(connection=row, to_state=row.state, at=row.arrived_at) for row in rows
    )
    OutgoingCall.objects.bulk_create(
        OutgoingCall(
            kind="activate", key=f"activate:{row.pk}", connection=row, priority=0, deadline_at=row.deadline_at
        )
        for row in rows
    )
    Alert.objects.bulk_create(Alert(key=f"a:{row.pk}", kind="call", text="refused", connection=row) for row in rows)
    return rows


def test_an_arrival_shows_in_the_funnel_and_among_what_runs_out(
    client: Client, altegio: Sandbox, work: Work, staff: Client
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    assert number(first_page(staff), "calm") == "2"
    work()

    page = first_page(staff)
    assert number(page, "active") == "2"
    assert number(page, "calm") == "0"
    counts = {what: n for (_day, _application, what), n in counts_by_day().items()}
    assert counts == {"arrived": 1, "registered": 1, "asked": 2, "activated": 2}


def test_a_conflict_is_seen_at_once(client: Client, altegio: Sandbox, work: Work, staff: Client) -> None:
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    assert number(first_page(staff), "conflict") == "2"
    work()
    assert str(Location.objects.get(altegio_id=AURORA_1)) in first_page(staff), "the consent may be of both"


@pytest.mark.parametrize(("minutes", "name"), [(9, "soon"), (29, "later"), (31, "calm"), (-1, "passed")])
def test_granted_connections_stand_under_the_time_they_have_left(staff: Client, minutes: int, name: str) -> None:
    make_connections(1, deadline_at=datetime.now(UTC) + timedelta(minutes=minutes))
    page = first_page(staff)
    counted = {key: number(page, key) for key in ("soon", "later", "calm", "passed")}
    assert [key for key, count in counted.items() if count not in ("", "0")] == [name]
    assert counted[name] == "1"


def test_every_number_leads_to_a_list_of_as_many_rows(staff: Client) -> None:
    make_connections(3)
    make_connections(2, state=State.FROZEN)
    links = re.findall(r'<a href="(/admin/[^"]*\?[^"]*)"[^>]*>([\d,]+)</a>', first_page(staff))
    assert len(links) > 100
    filled = {link for link in links if link[1] != "0"}
    assert filled
    for address, shown in filled:
        answer = staff.get(address.replace("&amp;", "&"))
        assert answer.status_code == 200, address
        assert answer.context["cl"].result_count == int(shown), address


def queries(staff: Client) -> int:
    with CaptureQueriesContext(connection) as made:
        first_page(staff)
    return len(made)


def test_the_number_of_queries_does_not_grow(staff: Client) -> None:
    make_connections(1)
    make_connections(1, state=State.FROZEN)
    few = queries(staff)
    make_connections(60)
    make_connections(60, state=State.FROZEN)
    assert queries(staff) == few
    assert few < 35


def test_more_than_is_worth_counting_is_shown_as_such(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.backoffice.dashboard.numbers.MAX_COUNT", 5)
    make_connections(7)
    assert number(first_page(staff), "granted") == "5+"


def test_a_day_that_is_over_is_counted_once(client: Client, altegio: Sandbox, work: Work) -> None:
    with time_machine.travel(NOON, tick=True):
        arrive(client, altegio, AURORA_1)
        work()
        emails_go_out()
        before = counts_by_day()
        assert sum_ended_days() == 13  # the days before, all empty
    with time_machine.travel(NOON + timedelta(days=1), tick=True):
        assert sum_ended_days() == 1
        assert sum_ended_days() == 0
        assert counts_by_day() == before
        ConnectionChange.objects.all().delete()
        assert counts_by_day() == before
        DailyCounts.objects.all().delete()
        assert counts_by_day() != before


def test_a_day_is_not_counted_for_good_while_its_windows_are_open() -> None:
    with time_machine.travel(datetime(2026, 11, 21, 1, tzinfo=UTC)):
        sum_ended_days()
        assert not DailyCounts.objects.filter(day="2026-11-20").exists()


def test_staff_see_the_panels_of_their_rights_alone() -> None:
    client, user = Client(), User.objects.create_user("new@partner.example", is_staff=True)
    client.force_login(user)
    assert "<section" not in first_page(client)


def test_a_feature_above_may_add_its_panel(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels.PANELS, "_entries", {})
    panels.register_panel(
        "Payments due",
        "admin/dashboard/numbers.html",
        lambda: {"numbers": []},
        permission="accounts.view_user",
        rank=1,
    )
    assert "Payments due" in first_page(staff)


def test_the_page_keeps_to_the_strict_policy(staff: Client) -> None:
    make_connections(1)
    page = first_page(staff)
    assert "unsafe" not in staff.get("/admin/").headers["Content-Security-Policy"]
    assert not re.search(r"<style|<script(?![^>]* src=)| style=| on\w+=", page)


def test_the_first_page_says_what_does_not_run(staff: Client, settings: Settings) -> None:
    assert "No worker has given a sign of life" in first_page(staff)

    cache.set(HEARTBEAT, time.time())
    assert "Yes. Worker and beat live" in first_page(staff)

    settings.EMAIL_BACKEND = PRINTED
    assert "E-mails are printed, and reach nobody" in first_page(staff)
