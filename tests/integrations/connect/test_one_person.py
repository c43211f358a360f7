"""Claims made before it was known who a person is become theirs once, also from several arrivals."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.emails import send_waiting_emails
from accounts.erasure import erase_person
from accounts.models import User
from integrations.activation import binding, staff
from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alert
from integrations.connect.section import own_connections
from integrations.connections.models import Arrival, Connection, State
from integrations.connections.transitions import lock
from integrations.outbox.models import OutgoingCall
from integrations.outbox.sweep import expire_late_calls
from integrations.status_sync.disconnect import disconnect
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, EMMA, EMMAS_EMAIL, MARIA, arrive, follow, proven_owner, status
from tests.not_none import not_none
from tests.owner_forms import PASSWORD, SIGN_UP, form_action
from tests.working import Work

pytestmark = pytest.mark.django_db
OURS = {"Origin": "http://testserver"}


@pytest.fixture
def emma() -> User:
    """Return Emma, who has an account that is not yet known to belong to Altegio's user 9001."""
    return proven_owner(EMMAS_EMAIL, PASSWORD)


def sign_in_on(page: str) -> None:
    answer = Client().post(f"{page}sign-in/", {"email": EMMAS_EMAIL, "password": PASSWORD}, headers=OURS)
    assert answer.status_code == 303


def links_in_emails() -> list[str]:
    send_waiting_emails()
    found = [re.search(r"http://localhost:8000(/connect/confirm/\S+)", str(message.body)) for message in mail.outbox]
    return [not_none(one)[1] for one in found]


# --- several arrivals -----------------------------------------------------------------------------


def test_signing_in_on_one_signed_arrival_gives_the_locations_of_all(
    altegio: Sandbox, work: Work, emma: User
) -> None:
    """Altegio signs both arrivals for the same user, and leads the owner from the first to the second."""
    arrive(Client(), altegio, [AURORA_1, AURORA_2])
    work()
    settings_tab = follow(Client(), altegio, AURORA_1)
    sign_in_on(settings_tab["Location"])

    assert set(Connection.objects.values_list("owner__email", flat=True)) == {EMMAS_EMAIL}
    assert set(Arrival.objects.values_list("user__email", flat=True)) == {EMMAS_EMAIL}
    assert not Arrival.objects.exclude(expected_user=None).exists()


def test_a_signed_user_keeps_their_claims_when_their_address_changed(
    altegio: Sandbox, work: Work, emma: User
) -> None:
    arrive(Client(), altegio, AURORA_1)
    work()
    User.objects.filter(pk=emma.pk).update(email="typed-wrong@example.com")
    answer = follow(Client(), altegio, AURORA_1)
    work()

    assert status(Client(), answer)["state"] == "active"
    assert Connection.objects.get().owner == User.objects.get(email=EMMAS_EMAIL)


def test_a_signed_user_signs_in_to_the_account_that_has_their_address_now(
    altegio: Sandbox, work: Work, emma: User
) -> None:
    arrive(Client(), altegio, AURORA_1)
    work()
    User.objects.filter(pk=emma.pk).update(email="typed-wrong@example.com")
    right = proven_owner(EMMAS_EMAIL, PASSWORD)
    sign_in_on(follow(Client(), altegio, AURORA_1)["Location"])
    assert Connection.objects.get().owner == right


def test_the_second_of_two_emails_leads_to_a_page_where_its_reader_signs_in(
    altegio: Sandbox, work: Work, emma: User
) -> None:
    for location in (AURORA_1, AURORA_2):
        page = arrive(Client(), altegio, location, user_id=None)
        Client().post(form_action(page, "sign-up"), SIGN_UP | {"email": EMMAS_EMAIL})
    work()
    first, second = links_in_emails()
    browser = Client()
    browser.post(first, {"password": PASSWORD})
    used = browser.get(second)
    assert used.status_code == 410

    step = not_none(re.search(r'href="(/connect/step/[^"]+)"', used.content.decode()))[1]
    browser.post(f"{step}continue/")
    assert set(Connection.objects.values_list("owner__email", flat=True)) == {EMMAS_EMAIL}


def test_an_old_email_opens_no_arrival_that_waits_for_nobody(altegio: Sandbox, emma: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "link"), {"email": EMMAS_EMAIL})
    (link,) = links_in_emails()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        old = Client().get(link)
    assert (old.status_code, "/connect/step/" in old.content.decode()) == (410, False)


# --- never in conflict with oneself ---------------------------------------------------------------


@pytest.mark.parametrize("is_signed", [True, False])
def test_a_holder_who_returns_through_an_unproven_claim_keeps_the_location(
    altegio: Sandbox, work: Work, emma: User, is_signed: bool
) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    work()
    held = Connection.objects.get()
    if is_signed:
        back = follow(Client(), altegio, AURORA_1)
        sign_in_on(back["Location"])
    else:
        forms = follow(Client(), altegio, AURORA_1, user_id=None)
        back = Client().post(form_action(forms, "sign-up"), SIGN_UP | {"email": EMMAS_EMAIL})
        Client().post(links_in_emails()[-1], {"password": PASSWORD})
    work()

    assert status(Client(), back)["state"] == "active"
    assert [each.pk for each in own_connections(emma)] == [held.pk]


def test_the_newer_of_one_persons_two_arrivals_sets_the_window(altegio: Sandbox, work: Work, emma: User) -> None:
    """The first claim is unsent; the second comes with a later consent, which counts as a
    stranger's for the first.
    """
    with time_machine.travel(timezone.now() - timedelta(minutes=50)):
        page = arrive(Client(), altegio, AURORA_1, user_id=None)
        Client().post(form_action(page, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    again = arrive(Client(), altegio, AURORA_1, user_id=None)
    second = Client().post(form_action(again, "sign-up"), SIGN_UP | {"email": EMMAS_EMAIL})
    Client().post(links_in_emails()[-1], {"password": PASSWORD})
    claim = Connection.objects.get(state="granted")
    assert claim.deadline_at > timezone.now() + timedelta(minutes=50)
    assert OutgoingCall.objects.get(connection=claim, kind="activate").deadline_at == claim.deadline_at
    work()

    assert status(Client(), second)["state"] == "active"
    assert Connection.objects.get(state="active").owner == emma


def test_a_superseded_claim_that_is_accepted_belongs_to_its_person(altegio: Sandbox, work: Work, emma: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    again = follow(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(again, "sign-up"), SIGN_UP | {"email": EMMAS_EMAIL})
    own, other = Connection.objects.order_by("pk")
    OutgoingCall.objects.filter(connection=other).update(state="sending")
    Client().post(links_in_emails()[-1], {"password": PASSWORD})
    other.refresh_from_db()
    assert other.state == "failed"

    OutgoingCall.objects.filter(connection=own).update(due_at=timezone.now() + timedelta(minutes=30))
    OutgoingCall.objects.filter(connection=other).update(state="queued")
    accept(other)
    own.refresh_from_db()
    assert (own.state, Connection.objects.get(state="active").owner) == ("failed", emma)


def accept(connection: Connection) -> None:
    binding.accept(lock(connection.pk), State.ACTIVE, "Altegio accepted the activation.")


@pytest.mark.parametrize("user_id", [None, EMMA])
@pytest.mark.parametrize("window_is_over", [False, True])
def test_an_acceptance_for_an_erased_person_is_disconnected_again(
    altegio: Sandbox, emma: User, user_id: int | None, window_is_over: bool
) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=user_id)
    if user_id is None:
        Client().post(form_action(page, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    if window_is_over:
        Connection.objects.update(state="expired", ended_by="window", ended_at=timezone.now())
    OutgoingCall.objects.filter(kind="activate").update(state="done", finished_at=timezone.now())
    erase_person(emma)
    accept(Connection.objects.get())
    assert OutgoingCall.objects.filter(kind="uninstall", state="queued").exists()


def test_an_acceptance_for_a_closed_account_stays_connected(altegio: Sandbox, emma: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    OutgoingCall.objects.filter(kind="activate").update(state="done", finished_at=timezone.now())
    User.objects.update(is_active=False)
    accept(Connection.objects.get())
    assert not OutgoingCall.objects.filter(kind="uninstall").exists()


def test_an_acceptance_for_an_account_without_an_address_stays_connected(altegio: Sandbox) -> None:
    """Altegio may sign a person without an address; staff are not offered to reassign their locations either."""
    arrive(Client(), altegio, AURORA_1)
    OutgoingCall.objects.filter(kind="activate").update(state="done", finished_at=timezone.now())
    User.objects.filter(identities__altegio_user_id=EMMA).update(email=None, is_active=False)
    accept(Connection.objects.get())
    assert Connection.objects.get().state == "active"
    assert not OutgoingCall.objects.filter(kind="uninstall").exists()
    assert not User.objects.erased().exists()


def test_an_accepted_superseded_claim_in_a_dispute_stays_connected(altegio: Sandbox, emma: User) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    Connection.objects.update(state="failed", ended_by="portal", is_disputed=True, ended_at=timezone.now())
    OutgoingCall.objects.filter(kind="activate").update(state="done", finished_at=timezone.now())
    accept(Connection.objects.get())
    assert not OutgoingCall.objects.filter(kind="uninstall").exists()


def test_a_strangers_page_says_nothing_of_the_typed_addresss_locations(
    altegio: Sandbox, work: Work, emma: User
) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    work()
    forms = follow(Client(), altegio, AURORA_1, user_id=None)
    strangers = Client().post(form_action(forms, "sign-up"), SIGN_UP | {"email": EMMAS_EMAIL})
    before = status(Client(), strangers)
    again = follow(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(again, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})

    assert before["locations"][0]["state"] == "conflict"
    assert status(Client(), strangers) == before


# --- time goes forwards only ----------------------------------------------------------------------


def test_an_older_arrival_used_late_does_not_shorten_a_newer_claim(altegio: Sandbox, emma: User) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=40)):
        older = arrive(Client(), altegio, AURORA_1, user_id=None)
    newer = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(newer, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    follow(Client(), altegio, AURORA_1, user_id=MARIA)
    disputed = Connection.objects.get(claimant=emma)
    Client().post(form_action(older, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})

    again = Connection.objects.get(pk=disputed.pk)
    assert again.is_disputed
    assert (again.deadline_at, again.last_arrived_at) == (disputed.deadline_at, disputed.last_arrived_at)


def test_pressing_connect_again_within_the_hour_starts_a_new_hour(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    now = timezone.now()
    with time_machine.travel(now - timedelta(minutes=62)):
        arrive(client, altegio, AURORA_1)
        OutgoingCall.objects.update(due_at=now + timedelta(hours=3))
    with time_machine.travel(now - timedelta(minutes=4)):
        answer = arrive(client, altegio, AURORA_1)
    work()
    assert status(client, answer)["state"] == "active"


def test_the_warning_about_the_first_hour_ends_with_it(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    claim = Connection.objects.get()
    Connection.objects.update(warned=2)
    raise_alert(Alert.Kind.WINDOW, f"window:2:{claim.pk}", "It runs out.", claim)
    end = claim.deadline_at
    Connection.objects.update(last_arrived_at=end - timedelta(minutes=2))
    with time_machine.travel(end + timedelta(seconds=1)):
        call = OutgoingCall.objects.get(kind="activate")
        OutgoingCall.objects.filter(pk=call.pk).update(params=call.params | {"decided": True})
        expire_late_calls()
    assert not Alert.objects.filter(cleared_at=None).exists()
    assert OutgoingCall.objects.filter(state="unconfirmed", params__decided=True).exists(), "as staff have decided"


# --- what staff decide ----------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["queued", "sending"])
def test_the_former_owners_disconnection_ends_when_staff_move_the_location(
    altegio: Sandbox, work: Work, emma: User, state: str
) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Client().post(form_action(page, "sign-in"), {"email": EMMAS_EMAIL, "password": PASSWORD})
    work()
    held = Connection.objects.get()
    follow(Client(), altegio, AURORA_1, user_id=MARIA)
    work(rounds=2)
    disconnect(held.pk, by=emma, why="Moving out.")
    OutgoingCall.objects.filter(kind="uninstall").update(state=state)
    support = User.objects.create_superuser("support@example.com", "pass")
    staff.give_to_claimant(Connection.objects.latest("pk").pk, support)
    # The call that was being sent got no answer.
    OutgoingCall.objects.filter(state="sending").update(state="unconfirmed", attempt_count=1)
    work()

    held.refresh_from_db()
    maria = not_none(held.owner)
    assert (held.state, maria.identities.get().altegio_user_id) == ("active", MARIA)
    assert [(each.pk, each.state) for each in own_connections(maria)] == [(held.pk, "active")]
