"""Claims of strangers, rivals and unproven visitors on a location each end in the right way."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.models import User
from integrations.activation import staff
from integrations.alerts.models import Alert
from integrations.connect.arrivals import give_to
from integrations.connect.tokens import link_token
from integrations.connections.models import Application, Arrival, Connection, EndedBy
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.reconciliation.unconfirmed import recheck_unconfirmed
from integrations.status_sync.disconnect import disconnect
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox, Status
from tests.clock import later
from tests.marketplace import AURORA_1, AURORA_2, EMMA, EMMAS_EMAIL, MARIA, arrive, follow, proven_owner, status
from tests.not_none import not_none
from tests.owner_forms import visit
from tests.working import Work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_claim_has_its_call")]
BALINT = 9003
PASSWORD = "correct horse battery"


def only(**which: Any) -> Connection:
    return Connection.objects.get(**which)


def claims() -> list[str]:
    return list(Connection.objects.order_by("pk").values_list("state", flat=True))


def test_a_stranger_at_a_live_location_is_answered_and_ends_with_the_window(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    theirs = follow(client, altegio, AURORA_1, user_id=MARIA)
    assert status(client, theirs)["locations"][0]["state"] == "conflict", "at once"
    work()
    assert not Alert.objects.exists(), "it needs no staff"
    with later(61):
        work()
        assert status(client, theirs)["locations"][0]["state"] == "failed"
    assert only(state="failed").ended_by == EndedBy.WINDOW


@pytest.mark.parametrize("minutes", [1, 30])
def test_a_stranger_named_it_once_and_the_owner_disconnects_and_returns(
    client: Client, altegio: Sandbox, work: Work, minutes: int
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    with later(minutes):
        disconnect(only(state="active").pk, by=None, why="The owner disconnects.")
        work(rounds=1)
        again = arrive(client, altegio, AURORA_1)
        work(rounds=2)
        assert status(client, again)["state"] == "active"
        work()
        assert claims() == ["uninstalled", "conflict", "active"]
    with later(minutes + 61):
        work()
        assert claims() == ["uninstalled", "failed", "active"]


def test_two_proven_claims_end_with_their_windows_and_each_may_come_again(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    mine = arrive(client, altegio, AURORA_1)
    theirs = follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    assert claims() == ["conflict", "conflict"]
    with later(61):
        work()
        assert status(client, mine)["state"] == status(client, theirs)["state"] == "failed"
        altegio.grant(AURORA_1, user_id=EMMA)
        again = follow(client, altegio, AURORA_1)
        work()
        assert status(client, again)["state"] == "active"


def test_a_rival_after_the_window_is_no_rival(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    with later(61):
        answer = arrive(client, altegio, AURORA_1, user_id=MARIA)
        work()
        assert status(client, answer)["state"] == "active"


def test_after_a_conflict_the_other_returns_and_is_activated(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    staff.dismiss_claim(only(claimant__identities__altegio_user_id=EMMA).pk, User.objects.create_user("s@x.example"))
    again = follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    assert status(client, again)["state"] == "active"


def test_a_held_claim_whose_holder_left_goes_on_when_its_person_returns(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    altegio.uninstall(AURORA_1)
    again = arrive(client, altegio, AURORA_1, user_id=MARIA)
    work()
    assert status(client, again)["state"] == "active"
    assert claims() == ["uninstalled", "active"]


def in_flight(client: Client, altegio: Sandbox, work: Work, answer: str = "error") -> None:
    """Send Emma's activation without a known end; then let Maria claim the same location."""
    altegio.fault(answer, "activate")
    arrive(client, altegio, AURORA_1)
    work(rounds=1)
    follow(client, altegio, AURORA_1, user_id=MARIA)


def test_a_location_accepted_in_a_dispute_has_no_owner_until_staff_decide(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    in_flight(client, altegio, work, "drop_after")
    OutgoingCall.objects.update(state="unconfirmed", due_at=timezone.now())
    work()
    accepted = only(state="active")
    assert (accepted.owner, accepted.is_disputed) == (None, True)
    assert Alert.objects.filter(cleared_at=None, connection=accepted).exists()
    with later(200):
        work()
        staff.give_to_claimant(accepted.pk, support)
    accepted.refresh_from_db()
    assert accepted.owner == accepted.claimant
    assert not Alert.objects.filter(cleared_at=None).exists()
    assert not staff.is_for_staff(accepted)


def test_an_answer_lost_in_a_dispute_is_found_after_the_window_and_bound_by_staff(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    in_flight(client, altegio, work, "drop_after")
    with later(61):
        work()
        found = only(state="active")
        assert found.owner is None
        staff.give_to_claimant(found.pk, support)
        found.refresh_from_db()
        assert not_none(found.owner).identities.get().altegio_user_id == EMMA


def test_staff_give_the_accepted_location_to_the_other(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    in_flight(client, altegio, work, "drop_after")
    OutgoingCall.objects.update(state="unconfirmed", due_at=timezone.now())
    work()
    staff.give_to_claimant(only(state="conflict").pk, support)
    assert not_none(only(state="active").owner).identities.get().altegio_user_id == MARIA


def test_the_claimant_left_after_a_dismissal_gets_the_accepted_location(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    in_flight(client, altegio, work, "drop_after")
    OutgoingCall.objects.update(state="unconfirmed", due_at=timezone.now())
    work()
    staff.dismiss_claim(only(state="conflict").pk, support)

    bound = only(state="active")
    assert not_none(bound.owner).identities.get().altegio_user_id == EMMA
    assert (bound.is_disputed, staff.is_for_staff(bound)) == (False, False)
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_the_claimant_left_after_a_dismissal_gets_the_later_acceptance(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    in_flight(client, altegio, work, "drop_after")
    staff.dismiss_claim(only(claimant__identities__altegio_user_id=MARIA).pk, support)
    OutgoingCall.objects.update(due_at=timezone.now())
    work()
    assert not_none(only(state="active").owner).identities.get().altegio_user_id == EMMA
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_the_claimant_left_after_a_dismissal_need_not_come_again(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    staff.dismiss_claim(only(claimant__identities__altegio_user_id=MARIA).pk, support)
    work()
    assert not_none(only(state="active").owner).identities.get().altegio_user_id == EMMA


def test_two_claimants_left_after_a_dismissal_wait_for_a_decision(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    for person in (EMMA, MARIA, BALINT):
        arrive(client, altegio, AURORA_1, user_id=person)
    staff.dismiss_claim(only(claimant__identities__altegio_user_id=BALINT).pk, support)
    work()
    assert claims() == ["conflict", "conflict", "failed"]


def test_a_stale_list_cannot_dismiss_a_claimant_whom_staff_chose(
    client: Client, altegio: Sandbox, support: User
) -> None:
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    mine = only(claimant__identities__altegio_user_id=EMMA)
    staff.give_to_claimant(mine.pk, support)
    with pytest.raises(staff.NotPossibleError, match="nothing to decide"):
        staff.dismiss_claim(mine.pk, support)
    assert claims() == ["granted", "failed"]


def test_two_claims_dismissed_together_both_end(
    client: Client, altegio: Sandbox, work: Work, admin_client: Client
) -> None:
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    both = list(Connection.objects.values_list("pk", flat=True))
    form = {"action": "dismiss", "_selected_action": both, "confirmed": "yes"}
    admin_client.post(reverse("admin:connections_connection_changelist"), form)
    work()
    assert claims() == ["failed", "failed"]


def test_dismissing_an_unproven_visitor_decides_no_dispute(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    """Altegio has accepted one of two claims, and the other's window is over."""
    in_flight(client, altegio, work, "drop_after")
    OutgoingCall.objects.update(state="unconfirmed", due_at=timezone.now())
    work()
    with later(61):
        work()
        visit(altegio, AURORA_1, "bot@example.com")
        staff.dismiss_claim(only(state="conflict").pk, support)
        accepted = only(state="active")
        assert (accepted.owner, accepted.is_disputed) == (None, True)


def test_a_claimant_who_signs_in_after_the_others_dismissal_gets_the_location(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    emma = proven_owner(EMMAS_EMAIL, PASSWORD)
    in_flight(client, altegio, work, "drop_after")
    OutgoingCall.objects.update(state="unconfirmed", due_at=timezone.now())
    work()
    staff.dismiss_claim(only(state="conflict").pk, support)
    assert not Alert.objects.filter(cleared_at=None).exists()
    assert give_to(Arrival.objects.earliest("pk"), emma, is_just_proven=True)
    assert only(state="active").owner == emma


def test_a_claimant_whom_staff_chose_does_not_count_as_refused(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    """Maria connects again within the hour, and a stranger comes as well."""
    arrive(client, altegio, AURORA_1)
    work()
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    staff.give_to_claimant(only(state="conflict").pk, support)
    disconnect(only(state="active").pk, by=None, why="She connects anew.")
    work(rounds=1)
    arrive(client, altegio, AURORA_1, user_id=MARIA)
    follow(client, altegio, AURORA_1, user_id=BALINT)
    work()
    assert claims() == ["uninstalled", "failed", "conflict", "conflict"]


def test_a_claimant_who_disputes_after_an_old_window_has_a_whole_new_one(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    """The first claim has not been ended yet when its owner returns."""
    arrive(client, altegio, AURORA_1)
    with later(61):
        follow(client, altegio, AURORA_1, user_id=MARIA)
        arrive(client, altegio, AURORA_1)
        work()
        assert claims() == ["conflict", "conflict"]


def test_staff_can_decide_after_the_window_about_an_active_location(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    """Even a location connected outside the portal long ago has a way out of the conflict."""
    altegio.set_application(1, private=True)
    altegio.grant(AURORA_1, at=timezone.now() - timedelta(hours=2))
    follow(client, altegio, AURORA_1)
    work()
    staff.give_to_claimant(only(state="conflict").pk, support)
    work()
    assert only(state="active").owner is not None


def test_a_dismissed_claim_stays_dismissed(client: Client, altegio: Sandbox, work: Work, support: User) -> None:
    in_flight(client, altegio, work, "drop_after")
    dismissed = only(claimant__identities__altegio_user_id=EMMA)
    staff.dismiss_claim(dismissed.pk, support)
    recheck_unconfirmed()
    ask_status(dismissed)
    work()
    dismissed.refresh_from_db()
    assert (dismissed.state, dismissed.ended_by, dismissed.owner) == ("failed", EndedBy.STAFF, None)


def test_a_claim_dismissed_while_its_call_is_on_the_way_stays_dismissed(
    client: Client, altegio: Sandbox, work: Work, support: User
) -> None:
    arrive(client, altegio, AURORA_1)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    dismissed = only(claimant__identities__altegio_user_id=EMMA)
    lost = OutgoingCall.objects.filter(connection=dismissed)
    lost.update(state="sending", lease_until=timezone.now() - timedelta(seconds=1))
    Attempt.objects.create(call=lost.get(), number=1, purpose="send")
    staff.dismiss_claim(dismissed.pk, support)
    altegio.set_application(1, private=True)
    altegio.grant(AURORA_1, user_id=EMMA)
    work()
    dismissed.refresh_from_db()
    assert (dismissed.state, dismissed.owner) == ("failed", None)


def test_a_claim_that_proves_nothing_opens_no_conflict(client: Client, altegio: Sandbox, work: Work) -> None:
    mine = arrive(client, altegio, AURORA_1)
    visit(altegio, AURORA_1, "bot@example.com")
    assert claims() == ["granted", "granted"]
    work()
    assert status(client, mine)["state"] == "active"
    assert not Alert.objects.exists()


def test_a_proven_claim_goes_before_an_earlier_unproven_one(client: Client, altegio: Sandbox, work: Work) -> None:
    altegio.grant(AURORA_1, user_id=EMMA)
    visit(altegio, AURORA_1, "bot@example.com")
    work(rounds=1)
    mine = follow(client, altegio, AURORA_1)
    work()
    assert status(client, mine)["state"] == "active"
    assert not_none(only(state="active").owner).identities.get().altegio_user_id == EMMA


def test_a_bot_between_consent_and_redirect_does_not_stop_the_owner(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    """The bot names the location five times a second, each time as somebody else and from elsewhere."""
    for n in range(4):
        visit(altegio, AURORA_1, f"bot{n}@example.com", f"198.51.{n}.1")
        work(rounds=1)
    altegio.grant(AURORA_1, user_id=EMMA)
    for n in range(4, 9):
        visit(altegio, AURORA_1, f"bot{n}@example.com", f"198.51.{n}.1")
        work(rounds=1)
    mine = follow(client, altegio, AURORA_1)
    work(rounds=1)
    assert status(client, mine)["state"] == "active"
    assert not_none(only(state="active").owner).identities.get().altegio_user_id == EMMA


def test_a_refused_claimant_waits_longer_and_behind_a_first_arrival(altegio: Sandbox, work: Work) -> None:
    visit(altegio, AURORA_1, "again@example.com", "198.51.1.1")
    work(rounds=1)
    assert claims() == ["failed"]
    altegio.grant(AURORA_1)
    visit(altegio, AURORA_1, "again@example.com", "198.51.1.1")
    visit(altegio, AURORA_1, "first@example.com", "198.51.2.1")
    work(rounds=1)
    first = User.objects.get(email="first@example.com")
    waits = OutgoingCall.objects.get(connection=only(state="granted", claimant=first))
    assert waits.due_at > timezone.now() + timedelta(seconds=50)
    work()
    assert not_none(only(state="active").owner).email == "first@example.com"


def test_an_unproven_claim_asks_and_settles_before_it_is_sent(
    altegio: Sandbox, work: Work, settings: Settings
) -> None:
    altegio.grant(AURORA_1)
    answer = visit(altegio, AURORA_1, "new@example.com")
    work(rounds=1)
    assert [request.call for request in altegio.requests()] == ["status"]
    waits = (OutgoingCall.objects.get().due_at - timezone.now()).total_seconds()
    assert settings.UNPROVEN_SETTLING_SECONDS - 1 < waits <= settings.UNPROVEN_SETTLING_SECONDS
    work()
    assert status(Client(), answer)["state"] == "active"


def test_an_unproven_visitor_who_comes_again_gets_no_later_grant(altegio: Sandbox, work: Work) -> None:
    altegio.fault("error", "status", status=500, remaining=None)
    page = visit(altegio, AURORA_1, "bot@example.com")
    with later(10):
        altegio.grant(AURORA_1, at=timezone.now())
        browser = Client()
        again = follow(browser, altegio, AURORA_1, user_id=None)
        form = {"email": "bot@example.com", "password": PASSWORD}
        browser.post(f"/connect/step/{again.context['token']}/sign-in/", form)
        altegio.clear_faults()
        work()
        assert status(Client(), page)["state"] == "failed"
    assert altegio.status_of(AURORA_1) is Status.PENDING


def test_a_wrong_time_zone_alerts_staff_until_it_is_right(altegio: Sandbox, work: Work) -> None:
    altegio.grant(AURORA_1, at=timezone.now() + timedelta(hours=3))
    visit(altegio, AURORA_1, "new@example.com")
    work()
    alert = Alert.objects.get()
    assert "180 minutes ahead" in alert.text
    assert "ALTEGIO_TIME_ZONE" in alert.text
    altegio.grant(AURORA_2)
    visit(altegio, AURORA_2, "other@example.com")
    work()
    alert.refresh_from_db()
    assert alert.cleared_at


def test_a_claim_that_waited_asks_before_it_is_sent(client: Client, altegio: Sandbox, work: Work) -> None:
    """A signed claim waits for its turn; meanwhile somebody else gives the grant."""
    follow(client, altegio, AURORA_1, user_id=MARIA)
    with later(5):
        altegio.grant(AURORA_1, user_id=EMMA, at=timezone.now())
        work()
        assert claims() == ["failed"]
        assert altegio.requests("activate") == []


def test_a_claim_sent_at_once_asks_nothing(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, AURORA_1)
    work()
    assert [request.call for request in altegio.requests()][:1] == ["activate"]


def test_a_private_location_active_by_a_later_consent_goes_to_no_earlier_visitor(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    altegio.set_application(1, private=True)
    altegio.fault("error", "activate", status=500, remaining=None)
    follow(client, altegio, AURORA_1, user_id=MARIA)
    with later(10):
        altegio.grant(AURORA_1, user_id=EMMA, at=timezone.now())
        altegio.clear_faults()
        work()
        assert not Connection.objects.exclude(owner=None).exists()


def test_an_application_that_needs_signatures_connects_nothing_unsigned(altegio: Sandbox, work: Work) -> None:
    Application.objects.create(altegio_id=1, is_personal_data_access_needed=True)
    altegio.grant(AURORA_1)
    page = follow(Client(), altegio, AURORA_1, user_id=None)
    assert page.status_code == 403
    assert "press Connect" in page.content.decode()
    assert not Connection.objects.exists()
    assert follow(Client(), altegio, AURORA_1).status_code == 303


def test_a_form_from_before_the_flag_was_set_connects_nothing(altegio: Sandbox) -> None:
    page = arrive(Client(), altegio, AURORA_1, user_id=None)
    Application.objects.update(is_personal_data_access_needed=True)
    form = {"name": "X", "email": "x@example.com", "phone": "", "password": PASSWORD}
    answer = Client().post(f"/connect/step/{page.context['token']}/sign-up/", form)
    assert answer.status_code == 403
    assert not User.objects.exists()


def test_an_unproven_visitor_has_limited_claims_until_a_proof(
    altegio: Sandbox, work: Work, settings: Settings
) -> None:
    settings.UNPROVEN_LOCATIONS_PER_ADDRESS = 1
    altegio.grant([AURORA_1, AURORA_2])
    answer = visit(altegio, [AURORA_1, AURORA_2], "olga@example.com")
    shown = status(Client(), answer)["locations"]
    assert [line["state"] for line in shown] == ["pending", "pending"]
    assert "e-mail" in shown[1]["message"]
    assert Connection.objects.count() == 1

    link = link_token(Arrival.objects.get().pk, User.objects.get())
    Client().post(f"/connect/confirm/{link}/")
    work()
    assert status(Client(), answer)["state"] == "active"
    assert set(Connection.objects.values_list("is_proven", flat=True)) == {True}


def test_undecided_claims_are_limited_per_network_and_location(altegio: Sandbox, settings: Settings) -> None:
    settings.UNPROVEN_LOCATIONS_PER_NETWORK, settings.UNPROVEN_CLAIMS_PER_LOCATION = 3, 2
    _chain, locations = altegio.add_chain(5)
    for n in range(5):
        visit(altegio, locations[n], f"bot{n}@example.com", f"198.51.100.{n}")
    assert Connection.objects.count() == 3
    for n in range(5, 10):
        visit(altegio, AURORA_1, f"bot{n}@example.com", f"198.51.{n}.1")
    assert Connection.objects.filter(location__altegio_id=AURORA_1).count() == 2


def test_an_owner_is_no_rival_of_their_own_claims_before_the_sign_in(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    owner = User.objects.create_user("emma@aurora.example", PASSWORD, email_proven_at=timezone.now())
    arrive(client, altegio, AURORA_1)
    page = follow(Client(), altegio, AURORA_1, user_id=None)
    form = {"email": owner.email, "password": PASSWORD}
    answer = Client().post(f"/connect/step/{page.context['token']}/sign-in/", form)
    assert "conflict" not in claims()
    work()
    assert status(client, answer)["state"] == "active"


def test_a_fully_disputed_chain_takes_constant_queries(
    client: Client, altegio: Sandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _chain, locations = altegio.add_chain(300)
    altegio.grant(locations, user_id=EMMA)
    follow(client, altegio, locations)
    with django_assert_max_num_queries(90):
        follow(client, altegio, locations, user_id=MARIA)
    assert set(claims()) == {"conflict"}


def test_a_returning_chain_takes_constant_queries(
    client: Client, altegio: Sandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _chain, locations = altegio.add_chain(300)
    altegio.grant(locations, user_id=EMMA)
    follow(client, altegio, locations)
    Connection.objects.update(state="active", owner=User.objects.get())
    with django_assert_max_num_queries(60):
        follow(client, altegio, locations)
    assert OutgoingCall.objects.filter(kind="ask_status").count() == 300


def test_a_visitors_queued_claim_asks_again_when_a_proven_claim_must_ask(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    """Maria was refused recently, so her claim asks before it is sent; the visitor's must not overtake it."""
    follow(client, altegio, AURORA_1, user_id=MARIA)
    work()
    visit(altegio, AURORA_1, "bot@example.com")
    visitors_call = OutgoingCall.objects.filter(connection=Connection.objects.latest("pk"))
    visitors_call.update(state="queued")
    follow(client, altegio, AURORA_1, user_id=MARIA)
    assert visitors_call.get().state == "unconfirmed"
