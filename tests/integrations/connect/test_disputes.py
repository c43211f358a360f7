"""When two proven people claim one location, the time of the consent or staff decide."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from integrations.activation.binding import accept, fail
from integrations.activation.staff import give_to_claimant
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection, EndedBy, State
from integrations.connections.transitions import lock, move
from integrations.outbox.models import OutgoingCall
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, EMMA, EMMAS_EMAIL, MARIA, arrive, follow, status
from tests.working import Work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_claim_has_its_call")]
MARIAS_EMAIL = "maria@medved.example"


@pytest.fixture
def claimed_before(client: Client, altegio: Sandbox) -> Connection:
    """Return a signed stranger's claim from before the owner's consent; its call is queued behind many others."""
    follow(client, altegio, AURORA_1, user_id=MARIA)
    OutgoingCall.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    claim: Connection = Connection.objects.get()
    return claim


def ago(seconds: float) -> time_machine.travel:
    """Act some time before the portal's present."""
    return time_machine.travel(timezone.now() - timedelta(seconds=seconds))


@pytest.fixture
def in_dispute(client: Client, altegio: Sandbox, work: Work) -> None:
    """Make a dispute: a minute ago the owner connected and a stranger came, both with the consent,
    so staff decide.
    """
    with ago(60):
        arrive(client, altegio, AURORA_1)
        follow(client, altegio, AURORA_1, user_id=MARIA)
        work(rounds=2)


def ask_once_more(work: Work) -> None:
    """Let the time to arrive that a claim leaves to others end."""
    OutgoingCall.objects.filter(state="unconfirmed", connection__claimant__email=EMMAS_EMAIL).update(
        due_at=timezone.now()
    )
    work(rounds=2)


def owners() -> list[str | None]:
    return list(Connection.objects.live().values_list("owner__email", flat=True))


def test_a_claim_before_the_consent_keeps_the_location_from_nobody(
    client: Client, altegio: Sandbox, work: Work, claimed_before: Connection
) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        mine = arrive(client, altegio, AURORA_1)
        work(rounds=1)
        assert status(client, mine)["state"] == "pending", "the page goes on asking"
        ask_once_more(work)
        assert status(client, mine)["state"] == "active"
        OutgoingCall.objects.filter(connection=claimed_before).update(due_at=timezone.now())
        work(rounds=2)
    assert owners() == [EMMAS_EMAIL]
    assert not Alert.objects.filter(cleared_at=None).exists(), "it needs no staff"


def test_a_stranger_who_is_first_is_refused_and_the_owner_connected(
    client: Client, altegio: Sandbox, work: Work, claimed_before: Connection
) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        arrive(client, altegio, AURORA_1)
        claims = OutgoingCall.objects.filter(kind="activate")
        claims.exclude(connection=claimed_before).update(due_at=timezone.now() + timedelta(minutes=1))
        claims.filter(connection=claimed_before).update(due_at=timezone.now())
        work(rounds=1)
        claimed_before.refresh_from_db()
        assert claimed_before.state == "failed"
        for _question in range(2):
            ask_once_more(work)
    assert owners() == [EMMAS_EMAIL]


def test_staff_may_give_the_accepted_location_to_a_rival_after_their_window(
    altegio: Sandbox, in_dispute: None, work: Work
) -> None:
    accepted, other = Connection.objects.order_by("pk")
    accept(lock(accepted.pk), State.ACTIVE, "Altegio accepted the activation.")
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        work(rounds=1)
        other.refresh_from_db()
        assert other.state == "failed"
        give_to_claimant(other.pk, User.objects.create_superuser("support@example.com", "pass"))
    accepted.refresh_from_db()
    assert accepted.owner == other.claimant


def test_an_owner_back_with_the_consent_disputes_with_a_claimant_in_between(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    """The owner has connected again; somebody is quicker than their redirect, but leaves them time to arrive."""
    with ago(20):
        follow(client, altegio, AURORA_1)
        OutgoingCall.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    altegio.grant(AURORA_1, user_id=EMMA)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=1)
    follow(client, altegio, AURORA_1)
    OutgoingCall.objects.update(due_at=timezone.now())
    work(rounds=2)
    assert not owners()
    assert set(Connection.objects.values_list("state", "is_disputed")) == {("conflict", True)}


def test_staff_hear_of_two_claimants_whose_consent_it_may_be(client: Client, altegio: Sandbox, work: Work) -> None:
    mine = arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    assert not owners()
    assert status(client, mine)["locations"][0]["state"] == "conflict"
    alerts = Alert.objects.filter(cleared_at=None, kind=Alert.Kind.CONFLICT)
    assert set(alerts.values_list("connection__state", flat=True)) == {"conflict"}
    assert alerts.count() == 2
    assert set(OutgoingCall.objects.filter(kind="activate").values_list("state", flat=True)) == {"held"}


def test_an_owner_in_dispute_who_connects_anew_is_connected(
    client: Client, altegio: Sandbox, work: Work, in_dispute: None
) -> None:
    assert set(Connection.objects.values_list("state", flat=True)) == {"conflict"}
    mine = arrive(client, altegio, AURORA_1)
    for _question in range(2):
        ask_once_more(work)
    assert status(client, mine)["state"] == "active"
    assert owners() == [EMMAS_EMAIL]


def test_the_page_goes_on_while_the_question_is_on_its_way(
    client: Client, altegio: Sandbox, claimed_before: Connection
) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        mine = arrive(client, altegio, AURORA_1)
        OutgoingCall.objects.update(state="sending", lease_until=timezone.now() + timedelta(seconds=30))
        assert status(client, mine)["state"] == "pending"


def test_a_released_claimant_is_in_dispute_again_when_the_rival_returns(
    client: Client, altegio: Sandbox, work: Work, in_dispute: None
) -> None:
    """Both were in dispute; the owner connects again and the stranger is quicker, but nothing has been sent."""
    altegio.grant(AURORA_1, user_id=EMMA)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    theirs = Connection.objects.filter(claimant__email=MARIAS_EMAIL)
    theirs.update(state="granted", is_disputed=False)
    waiting = timezone.now() + timedelta(minutes=1)
    OutgoingCall.objects.filter(connection__in=theirs).update(state="queued", due_at=waiting)
    follow(client, altegio, AURORA_1)
    work()
    assert not owners()
    assert set(Connection.objects.values_list("state", "is_disputed")) == {("conflict", True)}


def test_the_loser_of_a_dispute_waits_behind_the_holder(
    client: Client, altegio: Sandbox, work: Work, in_dispute: None
) -> None:
    """Altegio has not been asked about the loser's claim since: that call is queued behind others."""
    arrive(client, altegio, AURORA_1)
    theirs = OutgoingCall.objects.filter(connection__claimant__email=MARIAS_EMAIL)
    theirs.update(due_at=timezone.now() + timedelta(minutes=5))
    for _question in range(2):
        OutgoingCall.objects.exclude(pk__in=theirs).update(due_at=timezone.now())
        work(rounds=1)
    assert owners() == [EMMAS_EMAIL]
    other = Connection.objects.get(state="conflict")
    assert not other.is_disputed
    theirs.update(state="held")
    follow(client, altegio, AURORA_1, user_id=MARIA)
    assert OutgoingCall.objects.get(connection=other).state == "unconfirmed", "Altegio is asked"


def test_staff_hear_at_once_of_disputes_of_an_application_with_held_activations(
    client: Client, altegio: Sandbox
) -> None:
    Application.objects.create(altegio_id=1, hold_activations=True)
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    assert Alert.objects.filter(cleared_at=None, kind=Alert.Kind.CONFLICT).count() == 2


def test_staff_hear_of_two_claims_on_a_location_connected_elsewhere(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    altegio.connect_elsewhere(AURORA_1)
    follow(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    claimed = Connection.objects.undecided().values("pk")
    assert Alert.objects.filter(cleared_at=None, kind=Alert.Kind.CONFLICT, connection__in=claimed).count() == 2


def test_a_queued_activation_with_a_rival_is_asked_about_and_not_held(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    """The rival comes while a worker has the owner's call, and is refused; the call comes back unsent."""
    with ago(20):
        follow(client, altegio, AURORA_1, user_id=MARIA)
        rival = Connection.objects.get()
        OutgoingCall.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    arrive(client, altegio, AURORA_1)
    theirs, mine = OutgoingCall.objects.filter(connection=rival), OutgoingCall.objects.exclude(connection=rival)
    theirs.update(due_at=timezone.now())
    mine.update(state="queued", due_at=timezone.now() + timedelta(minutes=1))
    work(rounds=1)
    rival.refresh_from_db()
    assert rival.state == "failed"
    mine.update(due_at=timezone.now(), created_at=timezone.now())
    work(rounds=1)
    for _question in range(2):
        ask_once_more(work)
    assert owners() == [EMMAS_EMAIL]


def test_an_activation_at_the_grant_does_not_go_to_the_older_claim(
    client: Client, altegio: Sandbox, work: Work, claimed_before: Connection
) -> None:
    altegio.set_application(1, private=True)
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        arrive(client, altegio, AURORA_1)
        for _question in range(2):
            ask_once_more(work)
    assert owners() == [EMMAS_EMAIL]


def test_a_claim_held_for_a_rival_goes_on_when_the_rival_is_refused(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    """The rival came seconds before the consent; their call is under way, and is refused after the question."""
    follow(client, altegio, AURORA_1, user_id=MARIA)
    theirs = OutgoingCall.objects.all()
    rival = Connection.objects.get()
    theirs.update(due_at=timezone.now() + timedelta(minutes=5))
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    mine = OutgoingCall.objects.exclude(connection=rival).get(kind="activate")
    assert mine.state == "held"
    rival.refresh_from_db()
    fail(rival, "Altegio refused it.", "")
    for _question in range(2):
        ask_once_more(work)
    assert owners() == [EMMAS_EMAIL]


def test_a_rivals_window_that_ends_gives_the_location_to_nobody(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    with time_machine.travel(timezone.now() + timedelta(minutes=30)):
        follow(client, altegio, AURORA_1, user_id=MARIA)
        work(rounds=2)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        work()
    assert not owners()
    theirs = OutgoingCall.objects.filter(kind="activate", connection__claimant__email=MARIAS_EMAIL)
    assert theirs.get().state == "held"


def test_a_claimant_who_returns_in_a_dispute_has_a_whole_window(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    with time_machine.travel(timezone.now() + timedelta(minutes=59, seconds=55)):
        arrive(client, altegio, AURORA_1)
        mine = Connection.objects.get(claimant__email=EMMAS_EMAIL)
        assert mine.deadline_at > timezone.now() + timedelta(minutes=59)
        assert mine.calls.get().deadline_at == mine.deadline_at


def test_a_refusal_before_the_consent_does_not_end_the_claim(client: Client, altegio: Sandbox, work: Work) -> None:
    """The location was connected elsewhere; its owner had that ended, and connected again."""
    altegio.connect_elsewhere(AURORA_1)
    with ago(60):
        follow(client, altegio, AURORA_1)
        work(rounds=2)
    assert Connection.objects.get(claimant__email=EMMAS_EMAIL).state == "conflict"
    altegio.configure(callbacks_enabled=False)
    altegio.uninstall(AURORA_1)
    arrive(client, altegio, AURORA_1)
    work()
    assert owners() == [EMMAS_EMAIL]


def test_rivals_of_many_arrivals_take_constant_queries(
    client: Client, altegio: Sandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Each rival claim ends at another moment."""
    _chain, chain = altegio.add_chain(30)
    for number, salon_id in enumerate(chain):
        with ago(60 + number):
            follow(client, altegio, salon_id, user_id=MARIA)
    with django_assert_max_num_queries(60):
        arrive(client, altegio, chain)
    assert Connection.objects.filter(is_disputed=True).count() == 60


def test_a_chain_that_a_stranger_named_before_is_connected(client: Client, altegio: Sandbox, work: Work) -> None:
    with ago(20):
        follow(client, altegio, [AURORA_1, AURORA_2], user_id=MARIA)
        OutgoingCall.objects.update(due_at=timezone.now() + timedelta(minutes=30))
    arrive(client, altegio, [AURORA_1, AURORA_2])
    for _question in range(2):
        ask_once_more(work)
    assert owners() == [EMMAS_EMAIL, EMMAS_EMAIL]


@pytest.mark.usefixtures("in_dispute")
def test_the_alert_about_a_disputed_acceptance_ends_with_the_connection() -> None:
    accepted = lock(Connection.objects.filter(is_disputed=True).latest("pk").pk)
    accept(accepted, State.ACTIVE, "Altegio accepted it.")
    conflicts = Alert.objects.filter(kind=Alert.Kind.CONFLICT, connection=accepted, cleared_at=None)
    assert conflicts.exists()
    move(accepted, State.UNINSTALLED, "Its owner disconnected it.", ended_at=timezone.now(), ended_by=EndedBy.ALTEGIO)
    assert not conflicts.exists()
