"""A restored database goes on without sending twice, and gives out no id that means something else already."""

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import Client
from pytest_django.fixtures import Settings
from redis.exceptions import RedisError

from accounts.frame_tokens import make_frame_token, owner_of_frame_token
from accounts.models import ApiKey, User
from accounts.sessions import sign_out_everywhere
from billing.call_kinds import UNSURE
from billing.intake import record_payment
from billing.models import Source
from billing.parsing import read_payment
from integrations.backoffice.health import note_heartbeat
from integrations.chat.panels import set_panel
from integrations.connections.models import Connection
from integrations.messaging.models import RequestedMessage
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.outbox.queue import hurry
from integrations.outbox.restored import MAY_BE_LOST
from partner_portal.core.models import FeedEnd
from sandbox import Sandbox
from tests.billing.conftest import JANUARY
from tests.integrations.messaging.requesting import message, request_message, take_messages_of
from tests.marketplace import AURORA_1, EMMAS_EMAIL, arrive, proven_owner

pytestmark = pytest.mark.django_db
GAP = 1_000_000
IS_POSTGRESQL = database.vendor == "postgresql"
COUNTERS = (
    "SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = 'public'"
    if IS_POSTGRESQL
    else "SELECT name, coalesce((SELECT seq FROM sqlite_sequence own WHERE own.name = made.name), 0) "
    "FROM sqlite_master made WHERE sql LIKE '%AUTOINCREMENT%'"
)
SET_COUNTER = (
    "SELECT setval(%s::regclass, greatest(%s, 1), %s > 0)"
    if IS_POSTGRESQL
    else "UPDATE sqlite_sequence SET seq = %s WHERE name = %s"
)
MESSAGES = "messaging_requestedmessage"


def counters() -> dict[str, int]:
    """The last key that each table with counted keys has given, as the database says itself."""
    with database.cursor() as cursor:
        cursor.execute(COUNTERS)
        return {name: last for name, last in cursor.fetchall() if "django_migrations" not in name}


def set_back(name: str, last: int) -> None:
    """As `pg_restore` sets a counter back to the backup."""
    with database.cursor() as cursor:
        cursor.execute(SET_COUNTER, [name, last, last] if IS_POSTGRESQL else [last, name])


@pytest.fixture(autouse=True)
def _counters_as_before() -> Iterator[None]:
    """PostgreSQL undoes no move of a sequence with the test's transaction."""
    before = counters()
    yield
    if IS_POSTGRESQL:
        for name, last in before.items():
            set_back(name, last)


def resume() -> str:
    said = StringIO()
    call_command("resume_after_restore", stdout=said)
    return said.getvalue()


def test_every_table_leaves_a_gap_before_its_next_key(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    before = counters()
    assert before
    said = resume()
    after = counters()
    assert {name for name, last in before.items() if after[name] < last + GAP} == set()
    assert f"{len(before)} tables get numbers 1,000,000 further on" in said


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite's counter is never behind.")
def test_a_counter_behind_the_keys_of_its_table_is_brought_past_them(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    """As after rows were written with keys of their own."""
    arrive(client, altegio, AURORA_1)
    work()
    highest = Connection.objects.latest("pk").pk + 5_000
    RequestedMessage.objects.create(id=highest, connection=Connection.objects.get(), send_id="s", phone="1", text="x")
    resume()
    assert counters()[f"{MESSAGES}_id_seq"] >= highest + GAP


def test_a_gateway_that_reads_on_from_a_lost_message_is_shown_the_next_one(
    client: Client, altegio: Sandbox, work: Callable[..., None], settings: Settings
) -> None:
    """Its id would else be given to another message, which the gateway would take for one that it has sent."""
    arrive(client, altegio, AURORA_1)
    work()
    settings.ALTEGIO_APP_URL = "https://app.alteg.io"
    key = take_messages_of(Connection.objects.get())
    _key, secret = ApiKey.objects.create_key(name="gateway", scopes=["sms"])

    def read(after: str) -> list[str]:
        url, headers = f"/api/v1/sms/messages/?after={after}", {"Authorization": f"Api-Key {secret}"}
        return [item["ext_id"] for item in client.get(url, headers=headers).json()["results"]]

    def come(send_id: str) -> str:
        [answer] = request_message(client, key, message(send_id)).json()
        ext_id: str = answer["ext_id"]
        return ext_id

    kept, counter = come("kept"), next(name for name in counters() if name.startswith(MESSAGES))
    at_backup = counters()[counter]
    lost = come("lost")
    assert read(kept) == [lost]
    RequestedMessage.objects.filter(pk=lost).delete()
    set_back(counter, at_backup)
    FeedEnd.objects.update(last_position=at_backup)
    resume()

    new = come("new")
    assert new != lost
    assert read(lost) == [new]


def test_positions_of_the_lost_time_are_given_to_nothing_else() -> None:
    feed = FeedEnd.objects.create(name="messaging.requestedmessage", last_position=7)
    resume()
    feed.refresh_from_db()
    assert feed.last_position == 7 + GAP


def test_what_may_have_been_sent_since_the_backup_is_not_sent_blindly(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    """Altegio has the activation; the record that it was sent is lost with the database."""
    arrive(client, altegio, AURORA_1)
    queued = dict(OutgoingCall.objects.values("state", "attempt_count", "due_at").get())
    altegio.fault("drop_after", "activate")
    work(rounds=1)
    altegio.clear_faults()
    Attempt.objects.all().delete()
    OutgoingCall.objects.update(**queued)
    assert resume().startswith("1 call that waited may have been sent")
    work()
    assert len(altegio.requests("activate")) == 1
    assert Connection.objects.get().state == "active"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("queued", "unconfirmed"),
        ("sending", "unconfirmed"),
        ("held", "held"),
        ("done", "done"),
        ("refused", "refused"),
    ],
)
@pytest.mark.leaves_stranded("calls of a kind that does nothing")
def test_only_what_could_have_gone_out_is_asked_about(before: str, after: str) -> None:
    OutgoingCall.objects.create(kind="x", key="x", priority=10, state=before)
    resume()
    assert OutgoingCall.objects.get().state == after


def test_everybody_is_signed_out_and_told_what_is_in_force_again(client: Client) -> None:
    """The session and the frame token may have been taken from a thief since the backup."""
    owner = proven_owner(EMMAS_EMAIL)
    client.force_login(owner)
    given, session = make_frame_token(owner), client.session.session_key
    assert owner_of_frame_token(given) == owner
    said = resume()
    assert not Session.objects.filter(pk=session).exists()
    assert client.get("/account/").status_code == 302
    assert owner_of_frame_token(given) is None
    assert "Everybody is signed out" in said
    assert "repeat erasures" in said


def test_a_token_of_the_lost_time_does_not_come_to_count_again(client: Client) -> None:
    owner = proven_owner(EMMAS_EMAIL)
    sign_out_everywhere(owner)
    of_lost_time = make_frame_token(owner)
    User.objects.update(session_epoch=0)
    resume()
    assert owner_of_frame_token(of_lost_time) is None


def test_while_a_worker_is_alive_nothing_is_changed() -> None:
    note_heartbeat()
    before = counters()
    with pytest.raises(CommandError, match="Stop worker and beat"):
        resume()
    assert counters() == before


def test_without_redis_nobody_can_say_that_no_worker_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr(cache, "get", away)
    before = counters()
    with pytest.raises(CommandError, match="start Redis"):
        resume()
    assert counters() == before


@pytest.mark.parametrize("state", ["queued", "sending", "unconfirmed", "held"])
def test_a_call_that_may_have_been_sent_is_not_said_to_have_sent_nothing(
    client: Client, altegio: Sandbox, work: Callable[..., None], state: str
) -> None:
    """Its location has left since, and Altegio shows no payments of a location that is gone."""
    arrive(client, altegio, AURORA_1)
    work()
    payment = record_payment(read_payment(JANUARY, needs_external_id=False), Source.API).payment
    report = OutgoingCall.objects.filter(kind="report_payment")
    report.update(state=state)
    resume()
    hurry(report)
    altegio.uninstall(AURORA_1)
    work()
    payment.refresh_from_db()
    assert (payment.status, payment.error) == ("failed", UNSURE)


@pytest.mark.parametrize("state", ["queued", "sending", "unconfirmed", "held"])
def test_a_second_run_records_no_second_lost_attempt(
    client: Client, altegio: Sandbox, work: Callable[..., None], state: str
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    record_payment(read_payment(JANUARY, needs_external_id=False), Source.API)
    report = OutgoingCall.objects.filter(kind="report_payment")
    report.update(state=state)
    resume()
    resume()
    attempts = Attempt.objects.filter(call__in=report)
    assert list(attempts.values_list("number", "purpose", "message")) == [(1, "send", MAY_BE_LOST)]
    assert report.get().attempt_count == 1


def test_a_call_that_is_over_or_may_be_repeated_gets_no_lost_attempt(
    client: Client, altegio: Sandbox, work: Callable[..., None]
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    set_panel(Connection.objects.get(), "https://chat.example.com/panel")
    resume()
    assert OutgoingCall.objects.filter(kind="chat_panel", state="unconfirmed").exists()
    assert not Attempt.objects.filter(message=MAY_BE_LOST).exists()
