"""Entity webhooks are stored unchanged, whatever they hold; their shape is checked later."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from integrations.connections.models import Installation
from integrations.webhooks import endpoint
from integrations.webhooks.fan_out import fan_out
from integrations.webhooks.models import Event
from partner_portal.core.json_depth import MAX_VALUES
from sandbox import Sandbox
from tests.entity_events import GOOD, post_event
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_an_event_is_one_insert(
    client: Client, keys: Installation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    post_event(client, keys, GOOD)
    with django_assert_num_queries(1):
        assert post_event(client, keys, GOOD).status_code == 200
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "flag"),
    [
        (json.dumps(GOOD).encode(), ""),
        (json.dumps([GOOD, GOOD]).encode(), ""),
        (json.dumps(GOOD | {"company_id": "10101", "data": []}).encode(), ""),
        (json.dumps(GOOD | {"company_id": 10102}).encode(), "foreign"),
        (json.dumps([GOOD, GOOD | {"company_id": 10102}]).encode(), "foreign"),
        (b"[]", "shape"),
        (b"7", "shape"),
        (b"null", "shape"),
        (b'{"company_id": [], "data": "\\u0000 \\ud800"}', "shape"),
        (b'{"company_id": 10101, "data": ' + b"9" * 5000 + b"}", ""),
        (b'{"company_id": 10101, "data": 1e999999999999999999999}', ""),
    ],
)
def test_any_json_is_stored_as_it_came_and_flagged_later(
    client: Client, keys: Installation, body: bytes, flag: str
) -> None:
    assert post_event(client, keys, body).status_code == 200
    fan_out()
    event = Event.objects.get()
    assert event.body == body.decode()
    assert event.flag == flag


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"a": Infinity}', b"\xff", b"[" * 200_000, b"\x00"])
def test_a_body_that_is_not_json_is_400(client: Client, keys: Installation, body: bytes) -> None:
    assert post_event(client, keys, body).status_code == 400
    assert not Event.objects.exists()


def test_an_unknown_key_is_404_and_more_than_1_mib_413(client: Client, keys: Installation) -> None:
    assert client.post("/altegio/events/nobody/", b"{}", content_type="application/json").status_code == 404
    assert post_event(client, keys, b'"' + b"x" * (1024 * 1024 - 2) + b'"').status_code == 200
    assert post_event(client, keys, b"x" * (1024 * 1024 + 1)).status_code == 413


def test_a_body_that_holds_too_much_is_400(client: Client, keys: Installation) -> None:
    answer = post_event(client, keys, b"[" + b",".join([b"[]"] * MAX_VALUES) + b"]")
    assert (answer.status_code, answer.json()) == (400, {"detail": "The JSON holds more than 100000 values."})
    assert not Event.objects.exists()


@pytest.mark.parametrize("text", [',[{"\\' * MAX_VALUES, "]" * MAX_VALUES])
def test_brackets_inside_a_text_count_as_one_value(client: Client, keys: Installation, text: str) -> None:
    assert post_event(client, keys, GOOD | {"comment": text}).status_code == 200


def test_with_the_database_away_the_answer_is_503(
    client: Client, keys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_event(client, keys, GOOD)

    def away(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(endpoint, "insert_event", away)
    assert post_event(client, keys, GOOD).status_code == 503


def test_a_repeated_event_is_marked_and_kept(client: Client, keys: Installation) -> None:
    for body in (GOOD, GOOD, GOOD | {"status": "update"}):
        post_event(client, keys, body)
    fan_out()
    assert list(Event.objects.order_by("pk").values_list("is_duplicate", flat=True)) == [False, True, False]


def test_the_same_after_ten_minutes_is_another_event(client: Client, keys: Installation) -> None:
    """The most recent occurrence counts, whatever came before it."""
    for minutes in (30, 11, 0.5, 0):
        post_event(client, keys, GOOD)
        newest = Event.objects.latest("pk")
        Event.objects.filter(pk=newest.pk).update(received_at=timezone.now() - timedelta(minutes=minutes))
    fan_out()
    assert list(Event.objects.order_by("pk").values_list("is_duplicate", flat=True)) == [False, False, False, True]


def test_the_first_of_simultaneous_events_is_no_repetition(client: Client, keys: Installation) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(3):
            post_event(client, keys, GOOD)
        fan_out()
    assert list(Event.objects.order_by("pk").values_list("is_duplicate", flat=True)) == [False, True, True]


def rows_read(query: str) -> int:
    """Return how many rows PostgreSQL reads for this query, in tables and indexes."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.replace('%', '%%')}", ())
        return _rows_of(cursor.fetchone()[0][0]["Plan"])


def _rows_of(node: dict[str, Any]) -> int:
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if "Relation Name" in node else 0
    return int(own * node["Actual Loops"]) + sum(_rows_of(inner) for inner in node.get("Plans", []))


@pytest.mark.parametrize("minutes", [1, 20])
def test_the_cost_of_a_batch_does_not_grow_with_earlier_repetitions(
    client: Client, keys: Installation, minutes: int
) -> None:
    """Anybody who knows an event address may post `{}` without end: nobody else's events wait for that."""
    post_event(client, keys, GOOD)
    first = Event.objects.get()
    moment = timezone.now() - timedelta(minutes=minutes)
    seen = {"installation": keys, "body": first.body, "digest": first.digest, "forwarded_at": moment}
    Event.objects.bulk_create(Event(received_at=moment, **seen) for _ in range(3000))
    for _ in range(20):
        post_event(client, keys, GOOD)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE webhooks_event")
    with CaptureQueriesContext(connection) as asked:
        fan_out()
    about_likes = [query["sql"] for query in asked.captured_queries if "last_at" in query["sql"]]
    assert len(about_likes) == 1
    assert Event.objects.filter(is_duplicate=True).count() == 20 + (minutes < 10)
    if connection.vendor == "postgresql":
        assert rows_read(about_likes[0]) <= 3 * 21


def test_the_sandboxs_event_arrives_at_the_address_given_at_activation(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    from tests.marketplace import arrive

    arrive(client, altegio, 10101)
    work()
    address = not_none(altegio.connection(10101)).webhook_urls[0]
    path = address.removeprefix("http://localhost:8000")
    assert client.post(path, json.dumps(GOOD), content_type="application/json").status_code == 200
    assert Event.objects.get().installation.location.altegio_id == 10101
