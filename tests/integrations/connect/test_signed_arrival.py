"""An owner who arrives with signed user data is registered without a form, and the location turns active."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.erasure import erase_person
from accounts.models import AltegioIdentity, User
from integrations.alerts.models import Alert
from integrations.connections.models import Arrival, Connection
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.disconnect import disconnect
from integrations.status_sync.status_sync import ask_status
from sandbox import Sandbox, Status
from tests.admin_urls import admin_url
from tests.marketplace import AURORA_1, AURORA_2, EMMA, EMMAS_EMAIL, MARIA, arrive, follow, proven_owner, status
from tests.not_none import not_none
from tests.working import Work

pytestmark = pytest.mark.django_db


def test_the_location_turns_active_and_is_the_owners(client: Client, altegio: Sandbox, work: Work) -> None:
    answer = arrive(client, altegio, 10101)
    assert answer.status_code == 303
    assert "user_data" not in answer["Location"]
    assert status(client, answer)["state"] == "pending"

    work()

    assert altegio.status_of(10101) is Status.ACTIVE
    assert status(client, answer)["state"] == "active"
    connection = Connection.objects.get()
    assert connection.owner == AltegioIdentity.objects.get(altegio_user_id=EMMA).user
    assert len(altegio.requests("activate")) == 1


def test_coming_back_through_the_same_link_restarts_and_repeats_nothing(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    first = arrive(client, altegio, 10101)
    deadline = status(client, first)["deadline"]
    again = follow(client, altegio, 10101)
    work()

    assert status(client, again)["deadline"] == deadline
    assert Arrival.objects.get().visits == 2
    assert Connection.objects.count() == 1
    assert len(altegio.requests("activate")) == 1


def test_an_arrival_costs_few_queries(
    client: Client, altegio: Sandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    arrive(client, altegio, 10101)
    with django_assert_max_num_queries(16):
        assert arrive(client, altegio, 10102, user_id=MARIA).status_code == 303


def test_a_chain_of_1500_locations_arrives_in_a_constant_number_of_queries(
    client: Client, altegio: Sandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _chain, locations = altegio.add_chain(1500)
    altegio.grant(locations, user_id=EMMA)
    with django_assert_max_num_queries(150):
        answer = follow(client, altegio, locations)
    assert answer.status_code == 303
    assert OutgoingCall.objects.filter(kind="activate").count() == 1500
    assert len(status(client, answer)["locations"]) == 1500


def test_two_people_who_claim_one_location_are_a_conflict(client: Client, altegio: Sandbox, work: Work) -> None:
    mine = arrive(client, altegio, 10101)
    theirs = follow(client, altegio, 10101, user_id=MARIA)
    work()

    assert status(client, mine)["locations"][0]["state"] == "conflict"
    assert status(client, theirs)["locations"][0]["state"] == "conflict"
    assert altegio.requests("activate") == []


def test_a_location_somebody_else_holds_is_never_moved(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, 10101)
    work()
    theirs = follow(client, altegio, 10101, user_id=MARIA)
    work()

    assert status(client, theirs)["locations"][0]["state"] == "conflict"
    holder = Connection.objects.get(state="active")
    assert not_none(holder.owner).identities.get().altegio_user_id == EMMA


def test_without_a_grant_the_claim_fails_and_binds_nobody(client: Client, altegio: Sandbox, work: Work) -> None:
    answer = follow(client, altegio, 10101)
    work()

    shown = status(client, answer)
    assert shown["state"] == "failed"
    assert "no open grant" in shown["locations"][0]["message"]
    assert Connection.objects.get().owner is None
    altegio.grant(10101, user_id=MARIA)
    work()
    assert altegio.status_of(10101) is Status.PENDING, "a refused claim is not retried on a stranger's grant"


def test_an_owner_reconnects_after_an_unnoticed_uninstall(client: Client, altegio: Sandbox, work: Work) -> None:
    first = arrive(client, altegio, 10101)
    work()
    altegio.uninstall(10101)
    again = arrive(client, altegio, 10101)
    work()

    assert status(client, again)["state"] == "active"
    states = list(Connection.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["uninstalled", "active"]
    assert len(altegio.requests("activate")) == 2
    assert status(client, first)["state"] == "active"


def set_the_clock_back(seconds: int) -> None:
    """Make it look as if a fast clock had recorded the arrival so far."""
    fast = timedelta(seconds=seconds)
    Connection.objects.update(arrived_at=F("arrived_at") + fast, last_arrived_at=F("last_arrived_at") + fast)


@pytest.mark.parametrize("fast", [0, 45])
def test_an_owner_reconnects_before_the_disconnection_is_answered(
    client: Client, altegio: Sandbox, work: Work, fast: int
) -> None:
    arrive(client, altegio, 10101)
    work()
    set_the_clock_back(fast)
    disconnect(Connection.objects.get().pk, by=None, why="The partner's system disconnected it.")
    altegio.fault("drop_after", "uninstall")
    work(rounds=1)
    again = arrive(client, altegio, 10101)
    # The arrival's question is asked after the end of the disconnection is known.
    calls = OutgoingCall.objects.filter(state__in=("queued", "unconfirmed"))
    calls.update(due_at=timezone.now())
    calls.filter(kind="ask_status").update(due_at=timezone.now() + timedelta(seconds=5))
    work(rounds=1)
    assert Connection.objects.get().state == "uninstalled"
    work()

    assert status(client, again)["state"] == "active"
    assert len(altegio.requests("activate")) == 2


@pytest.mark.parametrize("fast", [0, 45])
def test_an_owner_reconnects_before_the_activation_is_answered(
    client: Client, altegio: Sandbox, work: Work, fast: int
) -> None:
    arrive(client, altegio, 10101)
    set_the_clock_back(fast)
    # The owner disconnects and returns while the portal still waits for Altegio's acceptance.
    follow(client, altegio, 10101)
    if not fast:
        Connection.objects.update(last_arrived_at=timezone.now() + timedelta(seconds=1))
    altegio.fault("error", "status")
    work(rounds=1)
    altegio.uninstall(10101)
    altegio.grant(10101, user_id=EMMA)
    work()

    assert altegio.status_of(10101) is Status.ACTIVE
    assert list(Connection.objects.order_by("pk").values_list("state", flat=True)) == ["uninstalled", "active"]


def test_an_owner_who_came_twice_before_gets_no_later_grant(client: Client, altegio: Sandbox, work: Work) -> None:
    arrive(client, altegio, 10101)
    work()
    follow(client, altegio, 10101)
    work()
    long_ago = timedelta(minutes=10)
    Connection.objects.update(arrived_at=F("arrived_at") - long_ago, last_arrived_at=F("last_arrived_at") - long_ago)
    altegio.uninstall(10101)
    altegio.grant(10101, user_id=MARIA)
    ask_status(Connection.objects.get())
    work()

    assert Connection.objects.get().state == "uninstalled"
    assert altegio.status_of(10101) is Status.PENDING, "it is Maria's, who has not arrived yet"


def test_another_person_may_take_a_location_uninstalled_and_granted_to_them(
    client: Client, altegio: Sandbox, work: Work
) -> None:
    arrive(client, altegio, 10101)
    work()
    altegio.uninstall(10101)
    theirs = arrive(client, altegio, 10101, user_id=MARIA)
    work()

    assert status(client, theirs)["state"] == "active"
    holder = Connection.objects.get(state="active")
    assert not_none(holder.owner).identities.get().altegio_user_id == MARIA


def test_an_email_that_has_an_account_is_not_taken_over(client: Client, altegio: Sandbox, work: Work) -> None:
    owner = User.objects.create_user(EMMAS_EMAIL.upper(), "s3cret-pass-word")
    arrive(client, altegio, 10101)
    work()
    assert not owner.identities.exists()
    assert Connection.objects.get().owner is None


def test_the_accounts_owner_signs_in_once_and_is_linked(client: Client, altegio: Sandbox, work: Work) -> None:
    owner = proven_owner(EMMAS_EMAIL, "s3cret-pass-word")
    answer = arrive(client, altegio, 10101)
    work()
    form = {"email": EMMAS_EMAIL, "password": "s3cret-pass-word"}
    client.post(f"{answer['Location']}sign-in/", form)

    assert owner.identities.get().altegio_user_id == EMMA
    assert Connection.objects.get().owner == owner


def test_a_staff_account_is_never_signed_in_by_a_signature(client: Client, altegio: Sandbox, work: Work) -> None:
    User.objects.create_user(EMMAS_EMAIL, "s3cret-pass-word", is_staff=True)
    answer = arrive(client, altegio, 10101)
    form = {"email": EMMAS_EMAIL, "password": "s3cret-pass-word"}
    refused = client.post(f"{answer['Location']}sign-in/", form)
    work()

    assert refused.status_code == 400
    assert not AltegioIdentity.objects.exists()
    assert Connection.objects.get().owner is None
    assert "set another address at Altegio" in Alert.objects.get().text


@pytest.mark.parametrize("change", [{"is_staff": True}, {"is_active": False}])
def test_an_account_that_became_staff_or_was_closed_is_not_opened_any_more(
    client: Client, altegio: Sandbox, work: Work, change: dict[str, Any]
) -> None:
    arrive(client, altegio, AURORA_1)
    User.objects.update(**change)
    arrive(client, altegio, AURORA_2)
    work()

    assert Connection.objects.get(location__altegio_id=AURORA_2).owner is None
    assert f"account #{User.objects.get().pk}, in which no owner can sign in" in Alert.objects.get().text


def changed_by_staff(user: User, **form: str) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff@partner.example"))
    form |= {"email": not_none(user.email), "identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
    assert staff.post(admin_url("user", "change", user.pk), form).status_code == 302


@pytest.mark.parametrize("shut", [{"is_staff": True}, {"is_active": False}])
def test_the_alert_that_nobody_signs_in_ends_once_somebody_can(
    client: Client, altegio: Sandbox, shut: dict[str, Any]
) -> None:
    account = User.objects.create_user(EMMAS_EMAIL, **shut)
    arrive(client, altegio, AURORA_1)
    account.save(update_fields=["is_active", "is_staff"])
    assert Alert.objects.get().cleared_at is None
    changed_by_staff(account, is_active="on")
    assert Alert.objects.get().cleared_at is not None


def test_it_stays_while_a_reopened_account_is_staffs(client: Client, altegio: Sandbox) -> None:
    account = User.objects.create_user(EMMAS_EMAIL, is_staff=True, is_active=False)
    arrive(client, altegio, AURORA_1)
    changed_by_staff(account, is_active="on", is_staff="on")
    assert Alert.objects.get().cleared_at is None


def test_it_ends_with_an_erased_account(client: Client, altegio: Sandbox) -> None:
    account = User.objects.create_user(EMMAS_EMAIL, is_active=False)
    arrive(client, altegio, AURORA_1)
    erase_person(account)
    assert Alert.objects.get().cleared_at is not None
