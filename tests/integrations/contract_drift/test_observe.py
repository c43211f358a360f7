"""Deviations of Altegio from its documents are counted for the operator, and break nothing."""

from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from integrations.altegio import requests
from integrations.altegio.answers import read_answer
from integrations.altegio.contract import differences
from integrations.altegio.contract.differences import Difference, Kind
from integrations.connections.models import Connection, State
from integrations.contract_drift import observe
from integrations.contract_drift.models import Drift
from integrations.contract_drift.observe import observe_answer, observe_callback, observe_events
from integrations.lifecycle.callback_endpoint import store
from integrations.status_sync.status_sync import ask_status
from partner_portal.core.metrics import METRICS
from sandbox import Sandbox
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db
PLAN = "data.connection_status.plan_name"


@pytest.fixture
def live(client: Client, altegio: Sandbox, work: Work) -> Connection:
    """Return a live connection at an Altegio that begins to send undocumented data."""
    arrive(client, altegio, AURORA_1)
    work()
    altegio.configure(surprises=True)
    return Connection.objects.get()


def ask(connection: Connection, work: Work) -> None:
    ask_status(connection)
    work()


def counted() -> dict[tuple[str, str, str], int]:
    return {(drift.kind, drift.path, drift.value): drift.count for drift in Drift.objects.all()}


def test_a_documented_connection_shows_no_difference(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    work()

    assert counted() == {}


def test_a_new_field_is_counted_with_one_masked_sample(live: Connection, work: Work) -> None:
    ask(live, work)
    ask(live, work)

    drift = Drift.objects.get()
    assert (drift.subject, drift.kind, drift.path, drift.count) == ("status", "field", PLAN, 2)
    assert drift.sample == '"aaaa 9999"'
    assert drift.first_seen_at < drift.last_seen_at


def test_a_new_state_is_named_and_the_connection_stays_what_it_was(
    live: Connection, altegio: Sandbox, work: Work
) -> None:
    altegio.freeze(AURORA_1)
    ask(live, work)

    assert ("value", "data.connection_status.status", "paused") in counted()
    live.refresh_from_db()
    assert live.state == State.ACTIVE


def test_a_callback_that_nobody_knows_is_counted(live: Connection, work: Work) -> None:
    store({"salon_id": AURORA_1, "application_id": 1, "event": "paused"}, '{"salon_id": 1, "event": "paused"}')
    observe_callback({"salon_id": AURORA_1, "application_id": 1, "event": "paused"})

    assert counted() == {("value", "event", "paused"): 1}


def test_events_are_counted_together() -> None:
    event = {"company_id": 1, "resource": "gift_card", "resource_id": 1, "status": "create", "data": {}}
    observe_events([event, [event, event], event])

    assert counted() == {("value", "resource", "gift_card"): 3}


def test_an_answer_without_differences_makes_no_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    answer = read_answer(404, {}, '{"success": false, "data": null, "meta": {"message": "No."}}')
    with django_assert_num_queries(0):
        observe_answer(requests.status(AURORA_1, 1), answer)
        observe_callback({"salon_id": AURORA_1, "application_id": 1, "event": "freeze"})
        observe_events([])


def test_a_comparison_that_fails_stops_nothing(
    live: Connection, altegio: Sandbox, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(differences, "of_answer", fail)
    altegio.uninstall(AURORA_1)
    ask(live, work)

    live.refresh_from_db()
    assert live.state == State.UNINSTALLED


def test_names_from_outside_fill_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "MAX_ROWS_OF_A_SUBJECT", 3)
    for letter in "abcdef":
        observe_callback({"salon_id": 1, "application_id": 1, "event": "freeze", f"field_{letter}": 1})

    assert Drift.objects.count() == 3


def test_the_longest_names_and_samples_are_stored() -> None:
    long = Difference("s" * 40, Kind.VALUE, "p" * 200, "v" * 40, "x" * 200)
    observe._count([long], Drift().last_seen_at)

    assert Drift.objects.get().count == 1


def doctor() -> str:
    said = StringIO()
    with suppress(CommandError):
        call_command("doctor", stdout=said)
    return said.getvalue()


def metric() -> list[tuple[str, float]]:
    families = METRICS["integrations.contract_drift.metrics.contract_drift"]()
    return [(sample.labels["path"], sample.value) for family in families for sample in family.samples]


def test_a_difference_is_shown_until_somebody_marks_it_as_known(live: Connection, work: Work, staff: Client) -> None:
    ask(live, work)
    drift = Drift.objects.get()

    assert f"<bdi>{drift}</bdi>" in staff.get("/admin/").content.decode()
    assert f"! What Altegio sends: {drift}: " in doctor()
    seen = Drift.objects.get().count
    assert metric() == [(PLAN, float(seen))]

    chosen = {"action": "mark_known", "_selected_action": [drift.pk], "confirmed": "yes"}
    staff.post("/admin/contract_drift/drift/", chosen)
    ask(live, work)

    drift.refresh_from_db()
    assert (drift.known_at is not None, drift.count) == (True, seen + 1)
    assert "is what its documents say" in doctor()
    assert "Nothing. What Altegio sends" in staff.get("/admin/").content.decode()
    assert metric() == []


def test_staff_who_may_only_look_mark_nothing(client: Client) -> None:
    viewer = User.objects.create_user("viewer@partner.example", is_staff=True)
    client.force_login(viewer)
    observe_callback({"salon_id": 1, "application_id": 1, "event": "paused"})
    chosen = {"action": "mark_known", "_selected_action": [Drift.objects.get().pk], "confirmed": "yes"}

    assert client.post("/admin/contract_drift/drift/", chosen).status_code == 403
    assert Drift.objects.get().known_at is None
