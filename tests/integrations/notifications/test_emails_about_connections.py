"""Owners get one e-mail about what became of an arrival's locations, and none twice."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.emails import send_waiting_emails
from accounts.models import Notification, OutgoingEmail, User
from accounts.notifications import send_digests
from integrations.activation.call_kinds import Activate
from integrations.connections.models import Application, Arrival, ArrivalLocation, Connection, Location, State
from integrations.connections.transitions import lock, move
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.callbacks import send_callback
from tests.marketplace import AURORA_1, EMMA, arrive, follow
from tests.working import Work

pytestmark = pytest.mark.django_db


def emails_sent() -> list[str]:
    """Send what waits, and return the subjects of the new e-mails."""
    before = len(mail.outbox)
    send_digests(timezone.now() + timedelta(minutes=1))
    send_waiting_emails()
    return [str(outgoing_email.subject) for outgoing_email in mail.outbox[before:]]


@pytest.fixture
def chain(db: None) -> list[Connection]:
    """Make a chain with which Emma has arrived; nothing is decided yet."""
    return a_chain(25)


def a_chain(size: int) -> list[Connection]:
    now = timezone.now()
    emma, _ = User.objects.get_or_create(email="emma@aurora.example")
    application, _ = Application.objects.get_or_create(altegio_id=1, defaults={"name": "Beacon SMS"})
    times = {"arrived_at": now, "deadline_at": now + timedelta(hours=1)}
    arrival = Arrival.objects.create(application=application, salon_ids=[], user=emma, **times)
    claimed = []
    for number in range(size):
        location = Location.objects.create(altegio_id=arrival.pk * 10000 + number + 1, title=f"Aurora {number}")
        claimed.append(
            Connection.objects.create(
                application=application,
                location=location,
                claim=f"u:{emma.pk}",
                claimant=emma,
                last_arrived_at=now,
                reviewed_at=now,
                **times,
            )
        )
    ArrivalLocation.objects.bulk_create(ArrivalLocation(arrival=arrival, connection=each) for each in claimed)
    OutgoingCall.objects.bulk_create(Activate.new(each) for each in claimed)
    return claimed


def last_email() -> EmailMultiAlternatives:
    message = mail.outbox[-1]
    assert isinstance(message, EmailMultiAlternatives)
    return message


@transaction.atomic
def decide(connection: Connection, state: State, **fields: Any) -> None:
    locked = lock(connection.pk)
    if state in (State.ACTIVE, State.FROZEN):
        fields |= {"owner": locked.claimant, "activated_at": timezone.now()}
    move(locked, state, "Altegio said so.", **fields)


def test_a_connected_location_is_one_email_in_the_owners_language(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    arrive(client, altegio, AURORA_1, user_id=EMMA)
    User.objects.update(language="en")
    work()
    assert emails_sent() == ["Aurora Covent Garden is connected"]
    assert [part[1] for part in last_email().alternatives] == ["text/html"]
    assert "/account/" in mail.outbox[-1].body
    assert emails_sent() == []


def test_a_chain_is_one_email_when_all_is_decided(chain: list[Connection]) -> None:
    for connection in chain[:-1]:
        decide(connection, State.ACTIVE)
    assert emails_sent() == [], "one location still waits"
    decide(chain[-1], State.ACTIVE)
    assert emails_sent() == ["25 locations are connected"]
    assert mail.outbox[-1].body.count("- Aurora") == 10
    assert "And 15 more." in mail.outbox[-1].body


def test_missed_locations_of_an_arrival_are_one_email_with_their_links(chain: list[Connection]) -> None:
    for number, connection in enumerate(chain):
        decide(connection, State.EXPIRED if number % 2 else State.FAILED)
    assert emails_sent() == ["25 locations are not connected"]
    assert mail.outbox[-1].body.count("/appstore/") == 10


def test_an_email_about_a_thousand_costs_as_many_queries_as_one_about_few(
    django_assert_num_queries: DjangoAssertNumQueries, chain: list[Connection]
) -> None:
    def cost(connections: list[Connection]) -> int:
        Connection.objects.filter(pk__in=[each.pk for each in connections]).update(state=State.ACTIVE)
        owner = connections[0].claimant
        Connection.objects.update(owner=owner)
        Notification.objects.bulk_create(
            Notification(
                key=f"connected:{each.pk}", person=owner, kind="connected", group="arrival:1", subject=each.pk
            )
            for each in connections
        )
        with django_assert_num_queries(11) as queries:
            assert send_digests(timezone.now() + timedelta(minutes=1)) == 1
        return len(queries)

    assert cost(chain) == cost(a_chain(1000))


def test_a_refused_location_sends_one_email_however_often_the_page_is_opened(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    follow(client, altegio, AURORA_1, user_id=EMMA)
    work()
    assert emails_sent() == [f"Location {AURORA_1} is not connected"]
    assert f"/appstore/{AURORA_1}/applications/1/info" in mail.outbox[-1].body

    follow(client, altegio, AURORA_1, user_id=EMMA)
    work()
    assert emails_sent() == []


def test_an_owner_who_reconnects_at_once_gets_no_email_about_the_failure(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    follow(client, altegio, AURORA_1, user_id=EMMA)
    work()
    arrive(client, altegio, AURORA_1, user_id=EMMA)
    work()
    assert emails_sent() == ["Aurora Covent Garden is connected"]


def test_a_freeze_seen_by_callbacks_and_reconciliation_is_one_email(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    arrive(client, altegio, AURORA_1, user_id=EMMA)
    work()
    emails_sent()
    altegio.freeze(AURORA_1)
    subjects = []
    for _repeated in range(3):
        send_callback(client, event="freeze", salon_id=AURORA_1)
        work()
        subjects += emails_sent()
    ask_status(Connection.objects.get())
    work()
    assert subjects + emails_sent() == ["Aurora Covent Garden has stopped working until it is paid"]
    assert "Stopped since" in mail.outbox[-1].body


def test_a_reactivation_and_a_freeze_for_the_same_debt_send_one_email(chain: list[Connection]) -> None:
    decide(chain[0], State.ACTIVE)
    decide(chain[0], State.FROZEN)
    assert len(emails_sent()) == 1
    decide(chain[0], State.ACTIVE)
    decide(chain[0], State.FROZEN)
    assert emails_sent() == []


def test_all_freezes_of_a_chain_are_one_email(chain: list[Connection]) -> None:
    for connection in chain:
        decide(connection, State.ACTIVE)
    emails_sent()
    for connection in chain:
        decide(connection, State.FROZEN)
    assert emails_sent() == ["25 locations have stopped working until they are paid"]


def test_the_same_state_again_sends_no_email(chain: list[Connection]) -> None:
    decide(chain[0], State.ACTIVE)
    decide(chain[0], State.ACTIVE)
    assert Notification.objects.count() == 1


def test_a_location_without_an_owner_sends_no_email(chain: list[Connection]) -> None:
    Connection.objects.update(claimant=None, claim="s:1")
    for number, connection in enumerate(chain):
        decide(connection, [State.ACTIVE, State.FAILED, State.EXPIRED, State.FROZEN][number % 4])
    assert emails_sent() == []
    assert not Notification.objects.exists()


@pytest.mark.parametrize("change", [{"email": None}, {"is_active": False}])
def test_an_unreachable_owner_gets_no_email(chain: list[Connection], change: dict[str, Any]) -> None:
    decide(chain[0], State.FROZEN)
    User.objects.update(**change)
    assert emails_sent() == []


def test_each_email_is_in_its_readers_language(chain: list[Connection]) -> None:
    User.objects.update(language="hu")
    decide(chain[0], State.FROZEN)
    emails_sent()
    assert OutgoingEmail.objects.get().language == "hu"
    assert 'lang="hu"' in str(last_email().alternatives[0][0])


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_one_email() -> None:
    chain = a_chain(3)
    for connection in chain:
        decide(connection, State.FROZEN)
    later = timezone.now() + timedelta(minutes=1)
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        send_digests(later)
        send_waiting_emails()
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [str(outgoing_email.subject) for outgoing_email in mail.outbox] == [
        "3 locations have stopped working until they are paid"
    ]
