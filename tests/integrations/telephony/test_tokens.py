"""An unsigned CRM token in a redirect takes nothing from others.

A location's calls go out under the token that its own owner brought with a connection that Altegio accepted.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import OutgoingEmail, User
from accounts.notifications import send_digests
from integrations.alerts.models import Alert
from integrations.connect import arrivals
from integrations.connections.models import Arrival, Chain, Connection, Location
from integrations.outbox.models import OutgoingCall
from integrations.status_sync.disconnect import disconnect
from integrations.telephony.chains import confirm_chain, see_token
from integrations.telephony.models import PhoneCall
from sandbox import Sandbox
from tests.integrations.telephony.calling import EMMAS, MARIAS, payload, ring
from tests.marketplace import AURORA_1, AURORA_2, AURORA_CHAIN, EMMA, MARIA, MEDVED_1, TELEPHONY, follow
from tests.not_none import not_none
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db


def outgoing_emails(template: str) -> list[Any]:
    for user in User.objects.filter(notifications__sent_at=None).distinct():
        user.notifications.update(at="2026-01-01T00:00:00Z")
    send_digests()
    return list(OutgoingEmail.objects.filter(template=template).values_list("to", flat=True))


def email_of(altegio_user_id: int) -> str | None:
    return User.objects.get(identities__altegio_user_id=altegio_user_id).email


def test_another_owner_who_names_the_chain_takes_nothing_of_it(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(MEDVED_1, MARIA, token=MARIAS)

    assert ring(api, salon_id=AURORA_1) == 202
    work()
    assert payload(altegio, "event") == [EMMAS]
    assert outgoing_emails("chain_named") == [email_of(EMMA)]
    assert "another CRM token" in Alert.objects.get(key__startswith="chain:").text


def test_a_stranger_who_names_the_chain_first_gets_none_of_its_calls(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(MEDVED_1, MARIA, token=MARIAS)
    come(AURORA_1, EMMA, token=EMMAS)

    assert (ring(api, salon_id=AURORA_1), ring(api, salon_group_id=AURORA_CHAIN)) == (202, 409)
    work()
    assert payload(altegio, "event") == [EMMAS]
    assert EMMAS in payload(altegio, "setup"), "her telephony is switched on all the same"


def test_a_strangers_second_location_replaces_nothing_either(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(MEDVED_1, MARIA)
    come(MEDVED_1 + 1, MARIA, token=MARIAS)

    assert ring(api, salon_id=AURORA_1) == 202
    work()
    assert payload(altegio, "event") == [EMMAS]


def test_calls_of_an_absent_owner_go_to_nobody_else(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(MEDVED_1, MARIA, token=MARIAS)
    Connection.objects.filter(location__altegio_id=AURORA_1).update(state="uninstalled")

    assert ring(api, salon_group_id=AURORA_CHAIN) == 409
    assert MARIAS not in payload(altegio, "event")


def test_a_chain_alone_with_its_number_is_named_by_it(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    assert ring(api, salon_group_id=AURORA_CHAIN) == 202
    work()
    assert payload(altegio, "event") == [EMMAS]


def test_a_call_that_names_the_number_alone_goes_where_staff_have_confirmed(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(MEDVED_1, MARIA, token=MARIAS)
    come(AURORA_1, EMMA, token=EMMAS)
    confirm_chain(not_none(Location.objects.get(altegio_id=MEDVED_1).chain_id))
    confirm_chain(not_none(Location.objects.get(altegio_id=AURORA_1).chain_id))

    assert ring(api, salon_group_id=AURORA_CHAIN) == 202
    work()
    assert payload(altegio, "event") == [EMMAS]


def test_a_confirmed_token_that_all_locations_have_left_opens_nothing_by_its_number(
    api: Api, come: Callable[..., None]
) -> None:
    come(MEDVED_1, MARIA, token=MARIAS)
    come(AURORA_1, EMMA, token=EMMAS)
    Chain.objects.create(altegio_id=AURORA_CHAIN, crm_token="of who has left", is_confirmed=True, telephony="on")
    assert ring(api, salon_group_id=AURORA_CHAIN) == 409


def test_a_location_with_the_chains_own_token_joins_it_and_switches_nothing(
    altegio: Sandbox, come: Callable[..., None]
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_2, MARIA, token=EMMAS)

    assert Chain.objects.get().locations.count() == 2
    assert payload(altegio, "setup") == [EMMAS]
    assert outgoing_emails("chain_named") == [email_of(EMMA)]
    assert "the same CRM token" in Alert.objects.get(key__startswith="chain:").text


def test_the_single_owner_of_a_chain_gets_no_warning(come: Callable[..., None]) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_2, EMMA, token=EMMAS)
    assert outgoing_emails("chain_named") == []
    assert not Alert.objects.filter(kind="review").exists()


def test_a_location_without_a_token_stands_with_its_owners_others(api: Api, come: Callable[..., None]) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_2, EMMA)
    come(MEDVED_1, MARIA)

    assert not_none(Location.objects.get(altegio_id=AURORA_2).chain).crm_token == EMMAS
    assert not_none(Location.objects.get(altegio_id=MEDVED_1).chain).crm_token == ""
    assert (ring(api, salon_id=AURORA_2), ring(api, salon_id=MEDVED_1)) == (202, 409)


def test_another_token_in_the_owners_link_changes_nothing_and_warns(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    """The link's signature identifies a person; it does not say that the token beside it is theirs."""
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_1, EMMA, token=MARIAS, grant=False)

    assert ring(api, salon_id=AURORA_1) == 202
    work()
    assert payload(altegio, "event") == [EMMAS]
    assert outgoing_emails("token_not_taken") == [email_of(EMMA)]
    assert Alert.objects.filter(key__startswith="crm-token:").exists()


def test_two_tokens_before_the_acceptance_count_as_none(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    """Somebody with the owner's link comes in between; nobody can say which of the two tokens is the owner's."""
    come(AURORA_1, EMMA, token=EMMAS, then_work=False)
    come(AURORA_1, EMMA, token=MARIAS, grant=False)

    assert Connection.objects.get().state == "active"
    assert ring(api, salon_id=AURORA_1) == 409
    assert payload(altegio, "setup") == []
    assert outgoing_emails("token_not_taken") == [email_of(EMMA)]


def test_a_clock_that_is_set_back_before_the_acceptance_loses_no_token(
    api: Api, come: Callable[..., None], work: Work
) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=45)):
        come(AURORA_1, EMMA, token=EMMAS, then_work=False)
    OutgoingCall.objects.update(due_at=timezone.now())
    work()
    assert ring(api, salon_id=AURORA_1) == 202


@pytest.fixture
def late_call(altegio: Sandbox, come: Callable[..., None]) -> PhoneCall:
    """Return a call of a chain of two locations; since then one of them has come with a new token."""
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_2, EMMA, token=EMMAS)
    late = PhoneCall.objects.create(chain=Chain.objects.get(), call_id="1", state="failed")
    with altegio.world.lock:
        altegio.world.chains[AURORA_CHAIN].crm_token = "crm-new"
    altegio.uninstall(AURORA_1, application_id=TELEPHONY)
    come(AURORA_1, EMMA, token="crm-new")
    return late


def test_a_new_token_applies_to_the_location_it_came_with(
    api: Api, altegio: Sandbox, work: Work, late_call: PhoneCall
) -> None:
    for location in (AURORA_1, AURORA_2):
        ring(api, salon_id=location)
        work()
    assert payload(altegio, "event") == ["crm-new", EMMAS]
    assert outgoing_emails("token_not_taken") == [email_of(EMMA)]
    assert "confirm the chain" in Alert.objects.get(key__startswith="two-tokens:", cleared_at=None).text


def test_a_new_token_confirmed_by_staff_applies_to_the_whole_chain(
    api: Api, altegio: Sandbox, work: Work, late_call: PhoneCall
) -> None:
    confirm_chain(not_none(Location.objects.get(altegio_id=AURORA_1).chain).pk)
    ring(api, salon_id=AURORA_2)
    ring(api, salon_group_id=AURORA_CHAIN)
    work()
    assert payload(altegio, "event") == ["crm-new", "crm-new"]
    assert payload(altegio, "setup") == [EMMAS, "crm-new"]
    assert not Alert.objects.filter(key__startswith="two-tokens:", cleared_at=None).exists()
    assert not_none(Location.objects.get(altegio_id=AURORA_2).chain).telephony == "on"
    late_call.refresh_from_db()
    assert late_call.chain.crm_token == "crm-new"


def test_a_strangers_token_does_not_spread_to_the_owners_locations(
    api: Api, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    """The location is the stranger's at Altegio, and the link is the owner's, so it is connected for the owner."""
    come(AURORA_1, EMMA, token=EMMAS)
    altegio.grant(MEDVED_1, application_id=TELEPHONY, user_id=MARIA)
    come(MEDVED_1, EMMA, token=MARIAS, grant=False)
    come(AURORA_2, EMMA)

    assert ring(api, salon_id=AURORA_1) == 202
    work()
    assert payload(altegio, "event") == [EMMAS]
    aurora_2 = Location.objects.get(altegio_id=AURORA_2)
    assert not_none(aurora_2.chain).crm_token == "", "which of the two is hers nobody can see"
    assert outgoing_emails("token_not_taken") == [email_of(EMMA)]


def test_an_owner_who_reconnects_each_location_with_a_new_token_is_warned_once(
    altegio: Sandbox, come: Callable[..., None]
) -> None:
    places = (AURORA_1, AURORA_2, MEDVED_1)
    for place in places:
        come(place, EMMA, token=EMMAS)
    for place in places:
        altegio.uninstall(place, application_id=TELEPHONY)
        come(place, EMMA, token="crm-new")
    assert [alert.cleared_at is None for alert in Alert.objects.filter(key__startswith="two-tokens:")] == [False]
    assert outgoing_emails("token_not_taken") == [email_of(EMMA)]


def test_the_alert_about_a_second_token_ends_with_its_location(
    altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    come(AURORA_2, EMMA, token="crm-new")
    two_tokens = Alert.objects.filter(key__startswith="two-tokens:", cleared_at=None)
    assert two_tokens.exists()
    disconnect(Connection.objects.get(location__altegio_id=AURORA_2).pk, by=None, why="A mistake.")
    work()
    assert not two_tokens.exists()


def test_a_second_token_alerts_even_if_its_location_had_no_owner_yet(
    client: Client, altegio: Sandbox, come: Callable[..., None], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    emma = User.objects.get()
    emma.identities.all().delete()
    emma.set_password("correct horse battery")
    emma.email_proven_at = timezone.now()
    emma.save()
    come(AURORA_2, EMMA, token="crm-new")
    assert not Alert.objects.filter(key__startswith="two-tokens:").exists()
    arrivals.give_to(Arrival.objects.latest("pk"), emma, is_just_proven=True)
    assert Alert.objects.filter(key__startswith="two-tokens:").exists()


def test_a_location_of_another_chain_is_a_contradiction(api: Api, come: Callable[..., None]) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    assert ring(api, salon_id=AURORA_1, salon_group_id=777) == 404


def test_coming_back_with_the_same_token_switches_nothing(
    client: Client, altegio: Sandbox, telephony: Chain, work: Work
) -> None:
    follow(client, altegio, AURORA_1, application_id=TELEPHONY)
    work()
    assert len(payload(altegio, "setup")) == 1


def test_a_visit_without_a_token_asks_nothing(
    telephony: Chain, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connection = telephony.locations.get().connections.get()
    arrival = connection.arrivals.get()
    arrival.crm_token = ""
    with django_assert_num_queries(0):
        see_token(connection, arrival)
