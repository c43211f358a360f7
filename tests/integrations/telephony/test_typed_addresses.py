"""A CRM token from a sign-up with a typed address is its owner's only once they have confirmed it.

M is the stranger, who types Emma's address at a sign-up and brings her own token.
"""

from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AltegioIdentity, User
from integrations.alerts.models import Alert
from integrations.connect import arrivals
from integrations.connect.claimants import visitor_of
from integrations.connections.models import Application, Arrival, Chain, Connection, Location
from sandbox import Sandbox
from tests.integrations.telephony.calling import EMMAS, link, payload, ring
from tests.marketplace import AURORA_1, AURORA_2, AURORA_CHAIN, EMMA, EMMAS_EMAIL, MEDVED_1, TELEPHONY, proven_owner
from tests.not_none import not_none
from tests.owner_forms import PASSWORD, SIGN_UP, form_action
from tests.response import Api
from tests.working import Work

pytestmark = pytest.mark.django_db
EVIL = "crm-of-mallory"
Come = Callable[..., None]


@pytest.fixture
def emma(altegio: Sandbox) -> User:
    """Return Emma, who comes signed and is known."""
    emma = proven_owner(EMMAS_EMAIL, PASSWORD)
    AltegioIdentity.objects.create(user=emma, altegio_user_id=EMMA)
    return emma


@pytest.fixture
def sign_up(altegio: Sandbox) -> Callable[..., Arrival]:
    """Return a function by which somebody comes unsigned and types Emma's address."""
    Application.objects.get_or_create(altegio_id=TELEPHONY, defaults={"kind": "telephony"})

    def run(salon_id: int, *, token: str | None = EVIL, grant: bool = True) -> Arrival:
        if grant:
            altegio.grant(salon_id, application_id=TELEPHONY, user_id=None)
        browser = Client()
        address = link(altegio, salon_id, None, chain=AURORA_CHAIN, token=token, application=TELEPHONY)
        browser.post(form_action(browser.get(address), "sign-up"), SIGN_UP | {"email": EMMAS_EMAIL})
        return Arrival.objects.latest("pk")

    return run


def token_at(salon_id: int) -> str:
    """Return the token under which the location's calls go out."""
    location = Location.objects.get(altegio_id=salon_id)
    return location.chain.crm_token if location.chain else ""


def live(salon_id: int = AURORA_1) -> Connection:
    return Connection.objects.live().get(location__altegio_id=salon_id)


def sign_in(arrival: Arrival, user: User) -> None:
    """Sign in by a link in an e-mail that leads to this arrival."""
    assert arrivals.enter_by_email(arrival, User.objects.get(pk=user.pk), password=PASSWORD, keeps_password=False)


@pytest.mark.parametrize("token", [None, EMMAS])
def test_a_sign_up_beside_the_owners_arrival_brings_no_token(
    emma: User, come: Come, sign_up: Callable[..., Arrival], work: Work, token: str | None
) -> None:
    come(AURORA_1, EMMA, token=token, then_work=False)
    sign_up(AURORA_1, grant=False)
    come(AURORA_1, EMMA, token=token, grant=False)
    assert live().owner == emma
    assert token_at(AURORA_1) == (token or "")
    assert not Alert.objects.filter(key__startswith="crm-token:").exists()


def test_a_sign_up_before_the_owner_comes_brings_none_either(
    emma: User, come: Come, sign_up: Callable[..., Arrival]
) -> None:
    """The whole claim becomes Emma's when she comes, including the time of the sign-up."""
    sign_up(AURORA_1)
    come(AURORA_1, EMMA, token=EMMAS, grant=False)
    assert (Connection.objects.get().owner, token_at(AURORA_1)) == (emma, EMMAS)


def test_a_connection_of_a_typed_address_loses_its_token_when_the_owner_comes(
    emma: User, come: Come, sign_up: Callable[..., Arrival], work: Work
) -> None:
    sign_up(AURORA_1)
    work()
    assert (live().owner, token_at(AURORA_1)) == (None, EVIL)
    come(AURORA_1, EMMA, grant=False)
    assert (live().owner, token_at(AURORA_1)) == (emma, "")
    assert Alert.objects.filter(key__startswith="crm-token:").exists()


def test_calls_of_an_abandoned_chain_are_sent_under_no_token(
    emma: User, come: Come, sign_up: Callable[..., Arrival], work: Work, api: Api, altegio: Sandbox
) -> None:
    """The exchange sends only the chain's number: the stranger's token is known for it, but is nobody's any more."""
    sign_up(AURORA_1)
    work()
    come(AURORA_1, EMMA, grant=False)
    assert ring(api, salon_group_id=AURORA_CHAIN) == 409
    work()
    assert payload(altegio, "event") == []


def test_an_account_made_by_a_sign_up_lends_no_token_to_the_owners_locations(
    altegio: Sandbox, come: Come, sign_up: Callable[..., Arrival], work: Work
) -> None:
    """M connects her own location first, so the account and the chain's number exist before Emma comes."""
    sign_up(MEDVED_1)
    sign_up(AURORA_1, grant=False)
    work()
    emma = User.objects.get()
    come(AURORA_2, EMMA, then_work=False)
    sign_in(Arrival.objects.latest("pk"), emma)
    work()
    assert (live(AURORA_2).owner, token_at(AURORA_2)) == (emma, "")


def test_the_token_of_a_sign_up_account_ends_when_the_owner_comes(
    altegio: Sandbox, come: Come, sign_up: Callable[..., Arrival], work: Work
) -> None:
    sign_up(AURORA_1)
    work()
    emma = User.objects.get()
    assert (live().owner, token_at(AURORA_1)) == (emma, EVIL)
    come(AURORA_1, EMMA, token=EMMAS, grant=False)
    sign_in(Arrival.objects.latest("pk"), emma)
    assert (live().owner, live().is_proven, token_at(AURORA_1)) == (emma, True, "")


def test_an_owner_who_reconnects_does_not_inherit_the_sign_up_accounts_token(
    altegio: Sandbox, come: Come, sign_up: Callable[..., Arrival], work: Work
) -> None:
    sign_up(AURORA_1)
    work()
    altegio.uninstall(AURORA_1, application_id=TELEPHONY)
    emma = User.objects.get()
    User.objects.update(email_proven_at=timezone.now())
    AltegioIdentity.objects.create(user=emma, altegio_user_id=EMMA)
    come(AURORA_1, EMMA)
    assert (live().owner, token_at(AURORA_1)) == (emma, "")


def test_a_sign_up_while_the_owners_return_is_checked_brings_no_token(
    emma: User, altegio: Sandbox, come: Come, sign_up: Callable[..., Arrival], work: Work
) -> None:
    come(AURORA_1, EMMA, token=EMMAS)
    altegio.uninstall(AURORA_1, application_id=TELEPHONY)
    come(AURORA_1, EMMA, then_work=False)
    sign_up(AURORA_1, grant=False)
    work()
    assert Connection.objects.filter(location__altegio_id=AURORA_1).exclude(activated_at=None).count() == 2
    assert (live().owner, token_at(AURORA_1)) == (emma, EMMAS)


# --- an honest owner without a signature ----------------------------------------------------------


@pytest.mark.parametrize("accepted_first", [True, False])
@pytest.mark.parametrize("has_account", [True, False])
def test_an_owner_who_signs_up_and_opens_the_email_has_their_token(
    altegio: Sandbox,
    sign_up: Callable[..., Arrival],
    work: Work,
    has_account: bool,
    accepted_first: bool,
) -> None:
    if has_account:
        proven_owner(EMMAS_EMAIL, PASSWORD)
    arrival = sign_up(AURORA_1, token=EMMAS)
    if accepted_first:
        work()
        assert token_at(AURORA_1) == EMMAS, "at once: nobody else is there"
    sign_in(arrival, User.objects.get())
    work()
    assert (live().owner, live().is_proven, token_at(AURORA_1)) == (User.objects.get(), True, EMMAS)
    assert not Alert.objects.filter(kind="review").exists()


def test_the_owners_next_location_without_a_token_uses_it(
    altegio: Sandbox, come: Come, sign_up: Callable[..., Arrival], work: Work
) -> None:
    sign_in(sign_up(AURORA_1, token=EMMAS), User.objects.get())
    work()
    arrivals.give_to(sign_up(AURORA_2, token=None), User.objects.get(), is_just_proven=True)
    work()
    assert token_at(AURORA_2) == EMMAS
    assert Chain.objects.get().locations.count() == 2


def test_an_owner_who_had_opened_the_email_before_the_upgrade_keeps_their_token(
    altegio: Sandbox, come: Come, sign_up: Callable[..., Arrival], work: Work
) -> None:
    sign_up(AURORA_1, token=EMMAS)
    work()
    owner = User.objects.get()
    sign_in(Arrival.objects.get(), owner)
    AltegioIdentity.objects.create(user=owner, altegio_user_id=EMMA)
    Connection.objects.update(is_proven=False)
    import_module("integrations.connections.migrations.0013_proven_owners").note_owners(apps, None)
    come(AURORA_1, EMMA, grant=False)
    assert token_at(AURORA_1) == EMMAS


def test_a_proof_of_the_address_elsewhere_keeps_the_token_while_nobody_else_comes(
    altegio: Sandbox, come: Come, sign_up: Callable[..., Arrival], work: Work
) -> None:
    sign_up(AURORA_1, token=EMMAS)
    work()
    emma = User.objects.get()
    User.objects.update(email_proven_at=timezone.now())
    AltegioIdentity.objects.create(user=emma, altegio_user_id=EMMA)
    come(AURORA_1, EMMA, token=EMMAS, grant=False)
    assert (live().owner, live().is_proven, token_at(AURORA_1)) == (emma, True, EMMAS)
    assert not_none(live().location.chain).telephony == "on"


# --- many locations -------------------------------------------------------------------------------


def _signed_up_with(count: int, emma: User) -> Arrival:
    """Let somebody who typed Emma's address have so many accepted locations, all of one chain."""
    application = Application.objects.get_or_create(altegio_id=TELEPHONY, defaults={"kind": "telephony"})[0]
    chain = Chain.objects.create(altegio_id=count, crm_token=EMMAS, telephony="on")
    now = timezone.now()
    arrival = Arrival.objects.create(
        application=application,
        deadline_at=now,
        salon_ids=[],
        claim="s:1",
        expected_address_hash=visitor_of(emma),
        signed_up=True,
    )
    for number in range(count):
        location = Location.objects.create(altegio_id=count * 1000 + number, chain=chain)
        arrival.connections.create(
            application=application,
            location=location,
            state="active",
            claim="s:1",
            is_proven=False,
            arrived_at=now,
            last_arrived_at=now,
            deadline_at=now,
            activated_at=now,
        )
    return arrival


def test_signing_in_looks_for_a_second_token_once_however_many_locations_there_are(emma: User) -> None:
    looked = []
    for count in (3, 30):
        arrival = _signed_up_with(count, emma)
        with CaptureQueriesContext(connection) as queries:
            arrivals.give_to(arrival, emma, is_just_proven=True)
        assert Connection.objects.filter(owner=emma, arrivals=arrival).count() == count
        looked.append(sum("connections_chain" in query["sql"] for query in queries))
    assert looked[0] == looked[1] <= 5
