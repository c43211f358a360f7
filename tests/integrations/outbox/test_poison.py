"""A poisonous answer of Altegio harms its own call at most, none beside it, and sends nothing twice."""

from typing import Any

import pytest
import simplejson
from django.test import Client
from django.utils import timezone

from integrations.activation.call_kinds import Activate
from integrations.altegio.answers import Answer, Outcome, read_answer
from integrations.connections.models import Connection, Location
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.reconciliation.models import Finding, Reconciliation
from integrations.reconciliation.start import start_run
from partner_portal.core.bulk_writes import store_each
from partner_portal.core.models import FailedItem
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, MEDVED_1, arrive
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db

POISON = {
    "half an emoji": r'"no \ud83d"',
    "NUL": r'"no\u0000"',
    "controls": r'"no\u0007\u009b\u000b"',
    "an endless exponent": "1E+999999999999999999999",
    "a large exponent": "1E+999999",
    "NaN": "NaN",
    "5,000 digits": "9" * 5000,
    "a depth of 200": "[" * 200 + "]" * 200,
    "a depth of 900": '{"a":' * 900 + "1" + "}" * 900,
    "half an emoji for a name": r'{"\udc00": {"\u0000": ["\ud83d"]}}',
    "a text of 100 KB": '"' + "й" * 100_000 + '"',
}


def envelope(message: str, data: str = "null", success: str = "false") -> str:
    meta = f'{{"message": {message}, "errors": {{"x": [{message}]}}}}'
    return f'{{"success": {success}, "data": {data}, "meta": {meta}}}'


def poison(altegio: Sandbox, call: str, status: int, text: str, **options: Any) -> None:
    altegio.fault("error", call, status=status, body=text, content_type="application/json", remaining=None, **options)


@pytest.mark.parametrize("bad", POISON.values(), ids=POISON)
def test_a_refusal_is_final_whatever_its_words(client: Client, altegio: Sandbox, work: Work, bad: str) -> None:
    poison(altegio, "activate", 422, envelope(bad), location_id=AURORA_1)
    arrive(client, altegio, [AURORA_1, MEDVED_1])
    work()
    assert [call.code for call in altegio.requests("activate", AURORA_1)] == [422]
    states = dict(Connection.objects.values_list("location__altegio_id", "state"))
    assert states == {AURORA_1: "failed", MEDVED_1: "active"}
    assert set(OutgoingCall.objects.filter(kind="activate").values_list("state", flat=True)) == {"refused", "done"}
    attempt = Attempt.objects.get(status_code=422)
    assert (attempt.outcome, attempt.finished_at is not None) == ("refused", True)


@pytest.mark.leaves_stranded("what follows the refusal could not be noted: the watch takes it up")
@pytest.mark.parametrize(("status", "own_credential"), [(422, False), (401, True)])
def test_a_refusal_that_cannot_be_stored_is_final(
    client: Client,
    altegio: Sandbox,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    *,
    own_credential: bool,
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")

    monkeypatch.setattr(Attempt, "save", fail)
    monkeypatch.setattr(Activate, "refused", fail)
    monkeypatch.setattr(Activate, "uses_own_credential", own_credential)
    altegio.fault("error", "activate", status=status, remaining=None)
    monkeypatch.setattr(Attempt.objects, "create", lambda **fields: _saved(fields))
    arrive(client, altegio, AURORA_1)
    work(rounds=3)
    assert len(altegio.requests("activate")) == 1
    call = OutgoingCall.objects.get(kind="activate")
    assert (call.state, "failed to note what follows" in call.reason) == ("refused", True)
    assert Attempt.objects.get().status_code == status
    assert FailedItem.objects.get(item=call.pk, queue="calls").dead_at is not None


def test_a_refusal_that_must_be_checked_is_not_final_where_it_cannot_be_stored(
    client: Client, altegio: Sandbox, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError("deadlock")

    monkeypatch.setattr(Activate, "needs_verification", lambda *_args: True)
    monkeypatch.setattr("integrations.outbox.executor.decide", fail)
    altegio.fault("error", "activate", status=422)
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    assert OutgoingCall.objects.get(kind="activate").state == "unconfirmed"


def _saved(fields: dict[str, Any]) -> Attempt:
    return Attempt.objects.bulk_create([Attempt(**fields)])[0]


def test_a_handler_that_failed_once_is_settled_by_the_same_answer(
    client: Client, altegio: Sandbox, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted, failures = Activate.accepted, [RuntimeError("deadlock")]

    def sometimes(self: Activate, call: OutgoingCall, answer: Answer) -> None:
        if failures:
            raise failures.pop()
        accepted(self, call, answer)

    monkeypatch.setattr(Activate, "accepted", sometimes)
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    assert Connection.objects.get().state == "active"
    assert len(altegio.requests("status", AURORA_1)) == 0


def rows(bad: str, ids: Any) -> str:
    good = [simplejson.dumps({"id": salon_id, "title": f"Renamed {salon_id}", "active": 1}) for salon_id in ids[1:]]
    return envelope('""', "[" + ", ".join([f'{{"id": {ids[0]}, "title": {bad}, "active": 1}}', *good]) + "]", "true")


@pytest.mark.parametrize("bad", POISON.values(), ids=POISON)
def test_one_bad_title_does_not_spoil_the_page(client: Client, altegio: Sandbox, work: Work, bad: str) -> None:
    _chain, places = altegio.add_chain(3)
    arrive(client, altegio, places, user_id=EMMA)
    work()
    poison(altegio, "salons", 200, rows(bad, places))
    run = start_run(Reconciliation.Trigger.NIGHTLY)
    work()
    run.refresh_from_db()
    assert run.state == "done"
    titles = dict(Location.objects.filter(altegio_id__in=places[1:]).values_list("altegio_id", "title"))
    assert titles == {salon_id: f"Renamed {salon_id}" for salon_id in places[1:]}


def test_a_row_that_no_column_takes_stands_alone(
    client: Client, altegio: Sandbox, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    _chain, places = altegio.add_chain(5)
    arrive(client, altegio, places, user_id=EMMA)
    work()
    poison(altegio, "salons", 200, rows('"the bad one"', places))
    update = Location.objects.bulk_update

    def picky(locations: Any, *args: Any, **kwargs: Any) -> None:
        if any(location.title == "the bad one" for location in locations):
            raise ValueError("no column takes this")
        update(locations, *args, **kwargs)

    monkeypatch.setattr(Location.objects, "bulk_update", picky)
    run = start_run(Reconciliation.Trigger.NIGHTLY)
    work()
    run.refresh_from_db()
    assert run.state == "done"
    assert Location.objects.filter(title__startswith="Renamed").count() == 4


def test_a_list_that_never_comes_ends_the_run(altegio: Sandbox, work: Work) -> None:
    altegio.fault("error", "salons", status=500, remaining=None)
    run = start_run(Reconciliation.Trigger.NIGHTLY)
    work(rounds=1)
    OutgoingCall.objects.filter(kind="reconcile").update(deadline_at=timezone.now())
    work()
    run.refresh_from_db()
    assert (run.state, Finding.objects.get().kind) == ("done", "list")


def test_good_rows_are_stored_beside_bad_ones() -> None:
    stored: list[int] = []

    def store(numbers: Any) -> None:
        if 7 in numbers:
            raise ValueError(7)
        stored.extend(numbers)

    assert store_each(range(20), store) == 19
    assert stored == [number for number in range(20) if number != 7]


@pytest.mark.parametrize(("status", "kind"), [(503, "activate"), (500, "status"), (429, "activate")])
def test_retry_after_is_obeyed_on_every_answer(
    client: Client, altegio: Sandbox, work: Work, status: int, kind: str
) -> None:
    altegio.fault("error", kind, status=status, headers={"Retry-After": "20"}, remaining=None)
    altegio.fault("error", "activate", status=500)
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    if kind == "status":
        OutgoingCall.objects.update(due_at=timezone.now())
        work(rounds=1)
    waits = (OutgoingCall.objects.get(kind="activate").due_at - timezone.now()).total_seconds()
    assert 18 < waits <= 20


def test_the_pause_that_altegio_asks_for_never_outlasts_the_hour(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    altegio.fault("error", "activate", status=503, headers={"Retry-After": "86400"}, remaining=None)
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    call = OutgoingCall.objects.get(kind="activate")
    assert call.due_at < not_none(call.deadline_at)


@pytest.mark.parametrize("status", [200, 201, 302, 422, 500])
def test_the_beginning_of_an_answer_is_no_answer(status: int) -> None:
    """This holds even if the beginning is only spaces, as in an empty answer."""
    answer = read_answer(status, {}, " " * 100, cut=True)
    assert (answer.outcome, "redirect" in answer.message or "too large" in answer.message) == (Outcome.UNKNOWN, True)
