"""Reconciliation finds missing connections in the lists and missed changes in the statuses."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from integrations.connections.models import Connection, Location
from integrations.lifecycle.models import Callback
from integrations.outbox.models import OutgoingCall
from integrations.reconciliation import compare, runs
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.rechecks import continue_run
from integrations.reconciliation.start import start_run
from integrations.reconciliation.unconfirmed import recheck_unconfirmed
from sandbox import Sandbox
from tests.callbacks import send_callback
from tests.marketplace import EMMA, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(client: Client, altegio: Sandbox, work: Work) -> list[int]:
    """Return three connected locations of one owner."""
    _chain, places = altegio.add_chain(3)
    arrive(client, altegio, places, user_id=EMMA)
    work()
    altegio.clear_requests()
    return places


def reconcile(work: Work) -> Reconciliation:
    run = start_run(Reconciliation.Trigger.NIGHTLY)
    work()
    run.refresh_from_db()
    assert run.state == "done"
    return run


def states() -> dict[int, str]:
    return dict(Connection.objects.values_list("location__altegio_id", "state"))


def findings(run: Reconciliation) -> list[Any]:
    rows = run.findings.order_by("salon_id").values_list("salon_id", "kind", "after", "needs_person")
    return list(rows)


def test_a_run_without_differences_reads_the_list_and_each_status(
    altegio: Sandbox, work: Work, chain: list[int]
) -> None:
    run = reconcile(work)
    assert (run.expected, run.listed, run.calls, findings(run)) == (3, 3, 4, [])
    assert len(altegio.requests()) == 4


def test_without_a_budget_for_statuses_only_the_list_is_read(
    altegio: Sandbox, work: Work, chain: list[int], settings: Settings
) -> None:
    settings.RECHECK_SHARE = 0
    altegio.uninstall(chain[0])
    altegio.freeze(chain[1])
    run = reconcile(work)
    assert findings(run) == [(chain[0], "missing", "uninstalled", False)]
    assert (run.calls, states()[chain[1]]) == (2, "active")


def test_the_budget_of_a_night_goes_to_those_asked_longest_ago(
    altegio: Sandbox, work: Work, chain: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "night_budget", lambda: 2)
    for number, place in enumerate(chain):
        asked = timezone.now() - timedelta(days=5 - number)
        Connection.objects.filter(location__altegio_id=place).update(status_asked_at=asked)
        altegio.freeze(place)
    reconcile(work)
    assert states() == {chain[0]: "frozen", chain[1]: "frozen", chain[2]: "active"}


def test_a_missed_change_is_found_and_applied(altegio: Sandbox, work: Work, chain: list[int]) -> None:
    altegio.uninstall(chain[0])
    altegio.freeze(chain[1])
    run = reconcile(work)
    assert findings(run) == [
        (chain[0], "missing", "uninstalled", False),
        (chain[1], "freeze", "frozen", False),
    ]
    assert states() == {chain[0]: "uninstalled", chain[1]: "frozen", chain[2]: "active"}
    assert (run.calls, len(altegio.requests())) == (4, 4)


def test_a_list_that_lacks_very_many_is_one_finding_and_asks_in_turn(
    altegio: Sandbox, work: Work, chain: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "MAX_MISSING", 1)
    altegio.uninstall(chain[0])
    altegio.uninstall(chain[1])
    run = reconcile(work)
    said = "It lacks 2 active ones; they are asked about in their turn."
    assert (None, "list", said, True) in findings(run)
    assert {kind for _place, kind, _after, _person in findings(run)} == {"list", "ended"}
    assert states() == {chain[0]: "uninstalled", chain[1]: "uninstalled", chain[2]: "active"}


def test_frozen_connections_may_be_missing_and_an_ended_one_is_found(
    altegio: Sandbox, work: Work, chain: list[int]
) -> None:
    altegio.configure(list_frozen=False)
    altegio.freeze(chain[0])
    altegio.freeze(chain[1])
    reconcile(work)
    assert states()[chain[1]] == "frozen"
    assert findings(reconcile(work)) == []
    altegio.uninstall(chain[1])
    assert findings(reconcile(work)) == [(chain[1], "ended", "uninstalled", False)]
    assert states() == {chain[0]: "frozen", chain[1]: "uninstalled", chain[2]: "active"}


def test_numbers_as_text_and_empty_answers_are_understood(altegio: Sandbox, work: Work, chain: list[int]) -> None:
    altegio.configure(numbers_as_strings=True, gone_answer="empty")
    altegio.uninstall(chain[0])
    assert findings(reconcile(work)) == [(chain[0], "missing", "uninstalled", False)]


def test_a_location_that_never_arrived_here_needs_a_person(altegio: Sandbox, work: Work, chain: list[int]) -> None:
    Connection.objects.filter(location__altegio_id=chain[0]).delete()
    run = reconcile(work)
    assert [(salon, kind, person) for salon, kind, _after, person in findings(run)] == [(chain[0], "unknown", True)]
    assert run.calls == 3


def test_new_titles_are_taken_over_and_reported(altegio: Sandbox, work: Work, chain: list[int]) -> None:
    Location.objects.filter(altegio_id=chain[0]).update(title="Old name")
    run = reconcile(work)
    assert findings(run) == [(chain[0], "title", Location.objects.get(altegio_id=chain[0]).title, False)]


def test_a_location_that_is_out_of_business_is_not_taken_for_a_frozen_connection(
    altegio: Sandbox, work: Work, chain: list[int]
) -> None:
    altegio.world.location(chain[0]).in_business = False
    assert findings(reconcile(work)) == []
    assert states()[chain[0]] == "active"
    assert Location.objects.get(altegio_id=chain[0]).in_business is False


def test_a_refused_list_needs_a_person_and_ends_the_run(altegio: Sandbox, work: Work, chain: list[int]) -> None:
    altegio.fault("error", "salons", status=403)
    assert [row[1] for row in findings(reconcile(work))] == ["list"]


def test_bad_answers_are_waited_out(altegio: Sandbox, work: Work, chain: list[int]) -> None:
    for kind in ("drop_after", "html_after", "broken_json_after"):
        altegio.fault(kind, "*", remaining=1)
    altegio.uninstall(chain[0])
    assert findings(reconcile(work)) == [(chain[0], "missing", "uninstalled", False)]


def test_without_an_answer_the_run_ends_and_a_person_must_look(
    altegio: Sandbox, work: Work, chain: list[int]
) -> None:
    altegio.uninstall(chain[0])
    start_run(Reconciliation.Trigger.NIGHTLY)
    altegio.fault("drop_before", "status")
    work(rounds=1)
    work(rounds=1)
    continue_run(Reconciliation.objects.get())
    OutgoingCall.objects.filter(kind="check_status").update(deadline_at=timezone.now())
    work()
    run = Reconciliation.objects.get()
    assert (run.state, run.findings.get().needs_person) == ("done", True)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 403},
        {"status": 422},
        {"status": 200, "body": {"success": True, "data": {"connection_status": {"status": "paused"}}, "meta": []}},
    ],
)
def test_a_question_that_altegio_refuses_holds_up_no_run(
    altegio: Sandbox, work: Work, chain: list[int], answer: dict[str, Any]
) -> None:
    altegio.uninstall(chain[0])
    altegio.fault("error", "status", remaining=None, location_id=chain[0], **answer)
    [(place, kind, after, needs_person)] = findings(reconcile(work))
    assert (place, kind, needs_person) == (chain[0], "missing", True)
    assert after.startswith("Altegio did not say what is true: ")


def test_beat_and_the_command_go_on_with_one_run_at_once(
    altegio: Sandbox, work: Work, chain: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has read the run before the other asked: the budget never goes below zero, and the
    newest question counts.
    """
    monkeypatch.setattr(runs, "night_budget", lambda: 1)
    run = start_run(Reconciliation.Trigger.NIGHTLY)
    work(rounds=1)
    seen = [Reconciliation.objects.get(pk=run.pk) for _ in range(2)]
    assert [continue_run(each) for each in seen] == [1, 1]
    run.refresh_from_db()
    newest = OutgoingCall.objects.filter(kind="check_status").latest("pk").pk
    assert (run.statuses_left, run.last_question) == (0, newest)
    work()


def test_a_second_start_joins_the_run_under_way(altegio: Sandbox, work: Work, chain: list[int]) -> None:
    first = start_run(Reconciliation.Trigger.NIGHTLY)
    assert start_run(Reconciliation.Trigger.COMMAND) == first
    work()


def test_the_command_waits_and_reports(altegio: Sandbox, chain: list[int]) -> None:
    altegio.uninstall(chain[0])
    out = StringIO()
    call_command("reconcile", stdout=out)
    assert f"#{chain[0]}: connected here, not listed by Altegio (active → uninstalled)" in out.getvalue()
    assert "1 differences, 0 need a person." in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_page_costs_no_query_for_each_location(
    altegio: Sandbox, work: Work, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _chain, places = altegio.add_chain(120)
    arrive(client, altegio, places, user_id=EMMA)
    work()
    start_run(Reconciliation.Trigger.NIGHTLY)
    with django_assert_max_num_queries(92):
        work(rounds=1)
        continue_run(Reconciliation.objects.get())
    work()
    assert Reconciliation.objects.get().listed == 120
    assert not Finding.objects.exists()


def test_a_callback_ahead_of_altegios_status_is_unconfirmed_and_asked_again(
    client: Client, altegio: Sandbox, work: Work, chain: list[int]
) -> None:
    send_callback(client, salon_id=chain[0])
    work()
    assert states()[chain[0]] == "active"
    altegio.uninstall(chain[0])
    assert recheck_unconfirmed() == 1
    work()
    assert states()[chain[0]] == "uninstalled"
    assert Callback.objects.get().state == "confirmed"
    assert recheck_unconfirmed() == 0
