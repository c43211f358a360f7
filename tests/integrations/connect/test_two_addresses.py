"""An owner whose address at Altegio is another than their account's gets in again as docs/operations.md says."""

import pytest
from django.test import Client

from accounts.erasure import erase_person
from accounts.models import AltegioIdentity, User
from accounts.proofs import take_over
from integrations.connections.models import Arrival, Connection
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, EMMAS_EMAIL, arrive, follow, proven_owner, status
from tests.owner_forms import PASSWORD
from tests.working import Work

pytestmark = pytest.mark.django_db
ACCOUNTS = "emma@another.example"


@pytest.fixture
def account(altegio: Sandbox, work: Work) -> User:
    """Return Emma's account, with the location, after a forgotten password; then she came from Altegio."""
    account = proven_owner(ACCOUNTS)
    AltegioIdentity.objects.create(user=account, altegio_user_id=EMMA)
    arrive(Client(), altegio, AURORA_1)
    work()
    take_over(account, password=PASSWORD)
    page = follow(Client(), altegio, AURORA_1)
    work()
    assert "Another person has connected this location" in str(status(Client(), page))
    assert User.objects.get(email=EMMAS_EMAIL).identities.get().altegio_user_id == EMMA
    return account


def signs_in(altegio: Sandbox, email: str) -> None:
    page = follow(Client(), altegio, AURORA_1)["Location"]
    assert Client().post(f"{page}sign-in/", {"email": email, "password": PASSWORD}).status_code == 303


def test_equal_addresses_alone_do_not_help(altegio: Sandbox, account: User) -> None:
    altegio.world.user(EMMA).email = ACCOUNTS
    follow(Client(), altegio, AURORA_1)
    assert Arrival.objects.latest("pk").user == User.objects.get(email=EMMAS_EMAIL) != account


@pytest.mark.parametrize("at_altegio", [True, False])
def test_once_the_visits_account_is_erased_and_the_addresses_agree(
    altegio: Sandbox, work: Work, account: User, at_altegio: bool
) -> None:
    erase_person(User.objects.get(email=EMMAS_EMAIL))
    email = ACCOUNTS if at_altegio else EMMAS_EMAIL
    altegio.world.user(EMMA).email = email
    User.objects.filter(pk=account.pk).update(email=email)
    signs_in(altegio, email)
    work()
    assert account.identities.get().altegio_user_id == EMMA
    assert Connection.objects.live().get().owner == account
    assert not Connection.objects.undecided().exists()
