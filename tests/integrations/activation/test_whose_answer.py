"""A location goes to the right person although Altegio's answers are lost, late or overtaken (docs/altegio.md §1)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.erasure import erase_person
from accounts.models import User
from integrations.activation.staff import give_to_claimant
from integrations.alerts.models import Alert
from integrations.connections.models import Connection, EndedBy, State
from integrations.connections.transitions import move
from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.models import OutgoingCall
from integrations.reconciliation.unconfirmed import recheck_unconfirmed
from integrations.status_sync.disconnect import disconnect
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox
from tests.clock import later
from tests.integrations.interrupting import killed_after_altegios_yes, while_altegio_answers
from tests.marketplace import AURORA_1, EMMA, EMMAS_EMAIL, MARIA, arrive, follow
from tests.not_none import not_none
from tests.owner_forms import visit
from tests.working import Work

pytestmark = pytest.mark.django_db
MARIAS_EMAIL = "maria@medved.example"
BALINT, JOAO = 9003, 9004


@pytest.fixture
def behind_the_owner(client: Client, altegio: Sandbox, connected: Connection, work: Work) -> Connection:
    """Return a signed stranger's claim on a location that its holder has just given up."""
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    disconnect(connected.pk, by=None, why="The owner disconnects.")
    work(rounds=1)
    claim = Connection.objects.latest("pk")
    assert claim.state == "conflict"
    return claim


@pytest.fixture
def left_unnoticed(altegio: Sandbox, connected: Connection) -> Connection:
    """Return a connection that its owner has ended at Altegio, without a callback to the portal."""
    altegio.configure(callbacks_enabled=False)
    altegio.uninstall(AURORA_1)
    return connected


def owner() -> str | None:
    return Connection.objects.live().values_list("owner__email", flat=True).get()


def test_the_owners_lost_answer_does_not_give_the_location_to_a_waiting_claimant(
    client: Client, altegio: Sandbox, behind_the_owner: Connection, work: Work
) -> None:
    altegio.fault("error_after", "activate")
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    OutgoingCall.objects.filter(connection=behind_the_owner).update(due_at=timezone.now())
    work(rounds=1)
    behind_the_owner.refresh_from_db()
    assert behind_the_owner.state == "conflict"
    work()
    assert owner() == EMMAS_EMAIL


def test_a_lost_answer_to_a_signed_up_owner_does_not_favor_a_later_claimant(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    altegio.fault("error_after", "activate")
    altegio.grant(AURORA_1, user_id=None)
    visit(altegio, AURORA_1, "owner@people.example", "198.51.100.7")
    while not altegio.requests("activate"):
        work(rounds=1)
        OutgoingCall.objects.update(due_at=timezone.now())
    OutgoingCall.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    assert Connection.objects.latest("pk").state == "conflict"
    work()
    assert Connection.objects.live().values_list("claimant__email", flat=True).get() == "owner@people.example"


def test_a_recorded_answer_without_effect_does_not_favor_a_later_claimant(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    """The worker is killed between the answer and its effect; the stranger's question is asked
    before the lease ends.
    """
    altegio.grant(AURORA_1, user_id=None)
    visit(altegio, AURORA_1, "owner@people.example", "198.51.100.7")
    with killed_after_altegios_yes():
        while not altegio.requests("activate"):
            work(rounds=1)
            OutgoingCall.objects.filter(state="unconfirmed").update(due_at=timezone.now())
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    assert Connection.objects.latest("pk").state == "conflict"
    OutgoingCall.objects.filter(state="sending").update(lease_until=timezone.now())
    work()
    assert Connection.objects.live().values_list("claimant__email", flat=True).get() == "owner@people.example"


def test_a_recorded_answer_without_effect_is_found_after_the_window(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    arrive(client, altegio, AURORA_1)
    with killed_after_altegios_yes():
        work(rounds=1)
    with later(61):
        work()
        recheck_unconfirmed()
        work()
        assert owner() == EMMAS_EMAIL


def test_an_answer_older_than_the_owners_activation_ends_nothing(
    client: Client, altegio: Sandbox, behind_the_owner: Connection, work: Work
) -> None:
    """Altegio answers that the grant is open; before the answer is read, the owner's activation is accepted."""
    altegio.grant(AURORA_1, user_id=EMMA)
    OutgoingCall.objects.filter(connection=behind_the_owner).update(due_at=timezone.now())
    with while_altegio_answers("", lambda: (follow(client, altegio, AURORA_1), dispatch_due())):
        work(rounds=1)
    assert owner() == EMMAS_EMAIL
    work()
    assert owner() == EMMAS_EMAIL


def test_a_claimant_who_waited_leaves_the_consenting_owner_time_to_arrive(
    client: Client, altegio: Sandbox, behind_the_owner: Connection, work: Work
) -> None:
    altegio.grant(AURORA_1, user_id=EMMA)
    OutgoingCall.objects.filter(connection=behind_the_owner).update(due_at=timezone.now())
    work(rounds=1)
    follow(client, altegio, AURORA_1)
    work()
    assert owner() == EMMAS_EMAIL


def test_an_activation_at_the_grant_belongs_to_the_next_in_turn(
    client: Client, altegio: Sandbox, behind_the_owner: Connection, work: Work
) -> None:
    altegio.set_application(1, private=True)
    arrive(client, altegio, AURORA_1)
    mine = Connection.objects.latest("pk")
    OutgoingCall.objects.filter(connection=mine).update(due_at=timezone.now() + timedelta(seconds=30))
    OutgoingCall.objects.filter(connection=behind_the_owner).update(due_at=timezone.now())
    work(rounds=1)
    work()
    assert owner() == EMMAS_EMAIL


def test_an_owner_who_reconnects_before_the_end_is_known_goes_before_other_claims(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    arrive(client, altegio, AURORA_1)
    visit(altegio, AURORA_1, "bot@people.example", "198.51.100.7")
    claim = Connection.objects.latest("pk")
    OutgoingCall.objects.filter(connection=claim).update(due_at=timezone.now() + timedelta(seconds=30))
    work(rounds=1)
    mine = Connection.objects.live().get()
    disconnect(mine.pk, by=None, why="The owner disconnects.")
    with while_altegio_answers("/uninstall", lambda: arrive(client, altegio, AURORA_1)):
        work(rounds=1)
    work()
    assert owner() == EMMAS_EMAIL


def test_a_strangers_lost_call_takes_no_later_grant(client: Client, altegio: Sandbox, work: Work) -> None:
    """Altegio activates at the grant; the owner has not come yet when the stranger's end is rechecked."""
    altegio.set_application(1, private=True)
    altegio.fault("error", "activate", status=500)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    with later(10):
        altegio.grant(AURORA_1, user_id=EMMA)
        recheck_unconfirmed()
        work()
        assert not Connection.objects.live().exists()
        follow(client, altegio, AURORA_1)
        work()
        assert owner() == EMMAS_EMAIL


def test_a_waiting_claimant_is_told_apart_from_a_consent_in_the_same_second(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    """Altegio reports whole seconds, so the consent seems older than the stranger's arrival."""
    second = timezone.now().replace(microsecond=0) + timedelta(minutes=10)
    with time_machine.travel(second, tick=False) as traveller:
        for happens in (
            lambda: follow(client, altegio, AURORA_1, user_id=MARIA),
            lambda: move(connected, State.UNINSTALLED, "The owner disconnects.", ended_at=timezone.now()),
            lambda: altegio.uninstall(AURORA_1),
            lambda: altegio.grant(AURORA_1, user_id=EMMA),
        ):
            traveller.shift(timedelta(seconds=0.2))
            happens()
        work(rounds=1)
    assert not Connection.objects.live().exists()
    assert not altegio.requests("activate")[1:]


def test_the_first_claimant_after_an_unnoticed_end_gets_the_location(
    client: Client, altegio: Sandbox, left_unnoticed: Connection, work: Work
) -> None:
    arrive(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=1)
    follow(client, altegio, AURORA_1, user_id=BALINT)
    work()
    assert owner() == MARIAS_EMAIL


def test_a_new_owner_who_came_before_the_end_was_known_goes_before_later_claimants(
    client: Client, altegio: Sandbox, left_unnoticed: Connection, work: Work
) -> None:
    """The callback about the end comes late."""
    arrive(client, altegio, AURORA_1, user_id=MARIA)
    with later(2 / 60):
        move(left_unnoticed, State.UNINSTALLED, "Altegio told it.", ended_at=timezone.now())
        OutgoingCall.objects.update(due_at=timezone.now())
        work(rounds=2)
        assert owner() == MARIAS_EMAIL
        assert len(altegio.requests("status")) == 1, "nobody was waited for"
        follow(client, altegio, AURORA_1, user_id=BALINT)
        work()
        assert owner() == MARIAS_EMAIL


def test_an_owner_who_returns_after_an_unnoticed_end_goes_before_later_claimants(
    client: Client, altegio: Sandbox, left_unnoticed: Connection, work: Work
) -> None:
    """The question about the stranger's claim is asked first."""
    with later(10):
        arrive(client, altegio, AURORA_1)
        questions = OutgoingCall.objects.filter(kind="ask_status")
        questions.update(due_at=timezone.now() + timedelta(seconds=3))
        follow(client, altegio, AURORA_1, user_id=MARIA)
        work(rounds=1)
        for _ in range(2):
            questions.update(due_at=timezone.now())
            work(rounds=1)
        work()
        assert owner() == EMMAS_EMAIL


def test_a_waiting_claimant_disputes_nothing_by_coming_again(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    """No callback reports the holder's end; the stranger comes before, with and after the new owner's consent."""
    altegio.configure(callbacks_enabled=False)
    follow(client, altegio, AURORA_1, user_id=BALINT)
    work(rounds=2)
    altegio.uninstall(AURORA_1)
    with later(10):
        altegio.grant(AURORA_1, user_id=MARIA)
        follow(client, altegio, AURORA_1, user_id=BALINT)
        OutgoingCall.objects.update(due_at=timezone.now())
        work(rounds=1)
        assert not Connection.objects.live().exists()
        follow(client, altegio, AURORA_1, user_id=BALINT)
        follow(client, altegio, AURORA_1, user_id=MARIA)
        follow(client, altegio, AURORA_1, user_id=BALINT)
        work()
        assert owner() == MARIAS_EMAIL
        assert not Alert.objects.filter(kind="conflict").exists()


@pytest.mark.parametrize("refusals", [1, 3])
def test_a_refused_claimant_takes_nothing_from_a_new_owner_after_an_unnoticed_end(
    client: Client, altegio: Sandbox, left_unnoticed: Connection, work: Work, refusals: int
) -> None:
    """The stranger comes a moment before the new owner, is asked about first, and comes again."""
    for _ in range(refusals):
        follow(client, altegio, AURORA_1, user_id=BALINT)
        work(rounds=2)
    with later(10):
        altegio.grant(AURORA_1, user_id=MARIA)
        follow(client, altegio, AURORA_1, user_id=BALINT)
        follow(client, altegio, AURORA_1, user_id=MARIA)
        mine = OutgoingCall.objects.filter(kind="activate", connection=Connection.objects.latest("pk"))
        mine.update(due_at=timezone.now() + timedelta(seconds=2))
        work(rounds=1)
        follow(client, altegio, AURORA_1, user_id=BALINT)
        mine.update(due_at=timezone.now())
        work()
        assert owner() == MARIAS_EMAIL
        assert not Alert.objects.filter(kind="conflict").exists()


def test_a_later_stranger_waits_for_the_new_owner_after_an_unnoticed_end(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    """A question about another claim has shown the end; the new owner's has not been asked when the
    stranger comes.
    """
    altegio.configure(callbacks_enabled=False)
    follow(client, altegio, AURORA_1, user_id=BALINT)
    work(rounds=2)
    altegio.uninstall(AURORA_1)
    with later(10):
        arrive(client, altegio, AURORA_1, user_id=MARIA)
        mine = OutgoingCall.objects.filter(kind="activate", connection=Connection.objects.latest("pk"))
        mine.update(due_at=timezone.now() + timedelta(seconds=2))
        move(connected, State.UNINSTALLED, "", ended_at=timezone.now(), ended_by=EndedBy.PORTAL)
        follow(client, altegio, AURORA_1, user_id=JOAO)
        work(rounds=1)
        mine.update(due_at=timezone.now())
        work()
        assert owner() == MARIAS_EMAIL


def test_staff_hear_of_a_reconnection_activated_at_the_grant_after_an_unnoticed_end(
    client: Client, altegio: Sandbox, left_unnoticed: Connection, work: Work
) -> None:
    altegio.set_application(1, private=True)
    with later(10):
        arrive(client, altegio, AURORA_1, user_id=MARIA)
        work(rounds=1)
        claim = Connection.objects.latest("pk")
        assert (claim.state, owner()) == ("conflict", EMMAS_EMAIL)
        assert "was connected anew" in Alert.objects.get(kind="conflict").text
        give_to_claimant(claim.pk, User.objects.get(email=MARIAS_EMAIL))
        work()
        assert owner() == MARIAS_EMAIL


def test_a_claimant_to_whom_staff_give_a_location_ended_unnoticed_is_connected(
    client: Client, altegio: Sandbox, left_unnoticed: Connection, work: Work
) -> None:
    with later(10):
        arrive(client, altegio, AURORA_1, user_id=MARIA)
        give_to_claimant(Connection.objects.latest("pk").pk, User.objects.get(email=MARIAS_EMAIL))
        work()
        assert owner() == MARIAS_EMAIL
        assert altegio.status_of(AURORA_1) == "active"


def test_staff_are_not_alerted_of_a_claim_on_a_held_location(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    with later(10):
        follow(client, altegio, AURORA_1, user_id=MARIA)
        work(rounds=1)
        assert Connection.objects.latest("pk").state == "conflict"
        assert not Alert.objects.filter(kind="conflict").exists()


def test_staff_hear_of_a_claim_on_a_location_of_an_erased_person(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> None:
    erase_person(not_none(connected.owner))
    follow(client, altegio, AURORA_1)
    work()
    claim = Connection.objects.latest("pk")
    assert claim.state == "conflict"
    assert Alert.objects.get(kind="conflict").connection == claim


def test_an_end_inferred_from_an_open_grant_is_recorded_as_the_portals(
    altegio: Sandbox, left_unnoticed: Connection, work: Work
) -> None:
    altegio.grant(AURORA_1, user_id=MARIA)
    ask_status(left_unnoticed)
    work()
    left_unnoticed.refresh_from_db()
    assert (left_unnoticed.state, left_unnoticed.ended_by) == ("uninstalled", EndedBy.PORTAL)


@pytest.fixture
def come_back_meanwhile(
    client: Client, altegio: Sandbox, connected: Connection, work: Work
) -> Callable[[datetime], None]:
    """Return a function: the owner disconnects, and connects again with a consent of that time, before the portal
    notes the end.

    The portal does not reach the question about it, which is queued behind many others.
    """

    def come_back(consent: datetime) -> None:
        altegio.grant(AURORA_1, user_id=EMMA, at=consent)
        follow(client, altegio, AURORA_1)
        questions = OutgoingCall.objects.filter(kind="ask_status", connection=connected)
        assert questions.update(due_at=timezone.now() + timedelta(hours=2)) == 1

    def happen(consent: datetime) -> None:
        disconnect(connected.pk, by=None, why="The owner disconnects.")
        with while_altegio_answers("/uninstall", lambda: come_back(consent)):
            work(rounds=1)
        connected.refresh_from_db()
        assert connected.state == "uninstalled"

    return happen


# Seconds from the owner's consent to their arrival: the two clocks may differ, and one may be set wrong.
CONSENT_AGO = pytest.mark.parametrize("seconds", [0, 7, -3, -30])


@CONSENT_AGO
def test_a_returning_holder_goes_before_a_waiting_claimant(
    client: Client,
    altegio: Sandbox,
    connected: Connection,
    come_back_meanwhile: Callable[[datetime], None],
    work: Work,
    seconds: int,
) -> None:
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    stranger = Connection.objects.latest("pk")
    come_back_meanwhile(timezone.now() - timedelta(seconds=seconds))
    for _question in range(3):
        OutgoingCall.objects.filter(connection=stranger).update(due_at=timezone.now())
        work(rounds=2)
    assert owner() == EMMAS_EMAIL


@CONSENT_AGO
def test_a_stranger_who_comes_after_a_returning_holder_does_not_get_the_location(
    client: Client,
    altegio: Sandbox,
    come_back_meanwhile: Callable[[datetime], None],
    work: Work,
    seconds: int,
) -> None:
    """The portal knows that the holder disconnected, and nobody waits, so the stranger looks like
    the first to come.
    """
    come_back_meanwhile(timezone.now() - timedelta(seconds=seconds))
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    assert not Connection.objects.live().exists()
    assert set(Connection.objects.undecided().values_list("claimant__email", "is_disputed")) == {
        (EMMAS_EMAIL, True),
        (MARIAS_EMAIL, True),
    }


def test_an_owner_back_by_a_slow_clock_goes_before_the_next_claimant(
    client: Client, altegio: Sandbox, left_unnoticed: Connection, work: Work
) -> None:
    """No callback reports the end; the owner connects again, and arrives two seconds earlier by the
    portal's clock.
    """
    now = timezone.now()
    altegio.grant(AURORA_1, user_id=EMMA, at=now + timedelta(seconds=3))
    with time_machine.travel(now + timedelta(seconds=1), tick=False):
        follow(client, altegio, AURORA_1)
    with time_machine.travel(now + timedelta(seconds=5)):
        follow(client, altegio, AURORA_1, user_id=MARIA)
        work()
    assert owner() == EMMAS_EMAIL
