"""Statements that are built once do what the ORM does each time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import F, QuerySet
from django.db.models.signals import post_save
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.connections.models import Application, Chain, Connection, Installation, Location, State
from integrations.outbox.models import OutgoingCall
from partner_portal.core.fast_insert import MAX_ROWS, create, insert
from partner_portal.core.fast_query import MAX_VALUES, Query, Rows

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def locations() -> list[Location]:
    chain = Chain.objects.create(altegio_id=501, crm_token="crm-501")
    first = Location(altegio_id=1, title="Salon 1", chain=chain)
    return Location.objects.bulk_create([first, Location(altegio_id=2, title="Salon 2")])


def numbered(*numbers: int) -> QuerySet[Location]:
    found = Location.objects.filter(altegio_id__in=numbers).select_related("chain").defer("email")
    return found.annotate(twice=F("altegio_id") * 2).order_by("pk")


def test_the_rows_equal_those_of_the_queryset(locations: list[Location], django_assert_num_queries: Any) -> None:
    rows = Rows(numbered)
    with django_assert_num_queries(1):
        first, second = rows(1, 2)
        assert (first, second) == tuple(locations)
        # Related rows are loaded and decrypted without another query.
        assert (first.chain and first.chain.crm_token, second.chain) == ("crm-501", None)
    assert [getattr(each, "twice", None) for each in (first, second)] == [2, 4]
    assert first.get_deferred_fields() == {"email"}
    assert rows(2) == [second]
    assert rows(3) == []


def test_a_query_is_built_once_for_each_number_and_kind_of_values(locations: list[Location]) -> None:
    built = []

    def build(*values: int | str) -> QuerySet[Location]:
        built.append(values)
        return Location.objects.filter(title=values[0]) if isinstance(values[0], str) else numbered(*map(int, values))

    rows = Rows(build)
    assert [rows("Salon 1"), rows("Salon 2"), rows(1), rows(2), rows(1, 2)] == [
        *([locations[0]], [locations[1]]),
        *([locations[0]], [locations[1]], locations),
    ]
    assert len(built) == 3
    for _ in range(2):
        assert rows(*range(1, MAX_VALUES + 2)) == locations
    assert len(built) == 5


def test_a_value_that_changes_on_its_way_to_the_database_is_rejected(locations: list[Location]) -> None:
    with pytest.raises(ValueError, match="1 values are transformed by this query"):
        Rows(lambda title: Location.objects.filter(title=f"{title}!"))("Salon 1")


def test_a_query_of_values_gives_its_first_row_or_all(locations: list[Location]) -> None:
    titles = Query(lambda *numbers: numbered(*numbers).values_list("title"))
    assert (titles(2), titles(3), titles.all(1, 2)) == (("Salon 2",), None, [("Salon 1",), ("Salon 2",)])


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_only_in_a_transaction(locations: list[Location]) -> None:
    rows = Rows(lambda number: Location.objects.select_for_update().filter(altegio_id=number))
    with transaction.atomic():
        assert rows(1) == [locations[0]]
    with pytest.raises(TransactionManagementError):
        rows(1)


def call(key: str) -> OutgoingCall:
    return OutgoingCall(kind="activate", key=key, params={"a": [1, "b"]}, priority=1, due_at=NOON, created_at=NOON)


def test_a_row_is_stored_as_bulk_create_stores_it() -> None:
    rows = [call("ours"), call("another")]
    with CaptureQueriesContext(database) as queries:
        insert(rows)
    OutgoingCall.objects.bulk_create([call("theirs")])
    ours, theirs = (OutgoingCall.objects.filter(key=key).values().get() for key in ("ours", "theirs"))
    assert len(queries) == 1
    assert {**ours, "id": 0, "key": ""} == {**theirs, "id": 0, "key": ""}
    assert [OutgoingCall.objects.get(key=row.key).pk for row in rows] == [row.pk for row in rows]
    assert (rows[0]._state.adding, rows[0]._state.db) == (False, "default")


def test_secrets_and_the_databases_own_defaults_are_stored(locations: list[Location]) -> None:
    application, now = Application.objects.create(altegio_id=1), timezone.now()
    keys = Installation.fresh(application, locations[0])
    insert([keys])
    assert Installation.objects.get().api_key == keys.api_key
    moments = {"arrived_at": now, "last_arrived_at": now, "deadline_at": now}
    place: dict[str, Any] = {"application": application, "location": locations[0]}
    connection = Connection(**place, state=State.ACTIVE, claim="u:1", **moments)
    insert([connection])
    assert connection.external_id == Connection.objects.get().external_id == ""
    connection.refresh_from_db()
    assert connection.status_asked_at >= now


def test_several_rows_are_stored_too() -> None:
    insert([])
    insert([call(str(number)) for number in range(MAX_ROWS + 1)])
    assert OutgoingCall.objects.count() == MAX_ROWS + 1


def test_existing_rows_stay_as_they_are() -> None:
    known = call("x")
    insert([known])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([call("x")])
    again = call("x")
    insert([again], ignore_conflicts=True)
    assert not again.pk
    assert OutgoingCall.objects.get() == known


def test_signal_receivers_hear_of_a_new_row_once() -> None:
    heard: list[tuple[Any, bool]] = []

    def hear(instance: OutgoingCall, created: bool, **_: Any) -> None:
        heard.append((instance.key, created))

    post_save.connect(hear, sender=OutgoingCall)
    try:
        assert create(call("x"))
        assert not create(call("x"), ignore_conflicts=True)
    finally:
        post_save.disconnect(hear, sender=OutgoingCall)
    assert heard == [("x", True)]
