"""After an activation the location's profile and people are fetched if there is a token; without
one nothing fails.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.erasure import erase_person
from accounts.models import AltegioIdentity, ApiKey, User
from accounts.personal_data import PERSONAL_DATA
from integrations.connections.models import Application, Connection, Location
from integrations.location_profiles.call_kinds import look_at
from integrations.location_profiles.models import LocationPerson, LocationProfile
from integrations.location_profiles.refresh import refresh_profiles
from integrations.location_profiles.retention import delete_old_people
from integrations.outbox.models import Attempt, OutgoingCall
from integrations.user_tokens.models import ApplicationToken, UserToken
from sandbox import Sandbox
from tests.kept import everything_stored, stands_in
from tests.marketplace import AURORA_1, EMMA, EMMAS_EMAIL
from tests.working import Work

pytestmark = pytest.mark.django_db
SYSTEM = "token-of-the-system-user"


@pytest.fixture
def token(db: None) -> ApplicationToken:
    application, _made = Application.objects.get_or_create(altegio_id=1)
    return ApplicationToken.objects.create(application=application, token=SYSTEM)


@pytest.fixture
def connected(token: ApplicationToken, connect: Callable[..., Connection]) -> Connection:
    found: Connection = connect(AURORA_1)
    return found


def test_the_location_and_who_may_manage_its_users_are_known(connected: Connection) -> None:
    assert LocationProfile.objects.get().currency == "EUR"
    assert Location.objects.get(altegio_id=AURORA_1).timezone_name == "Europe/London"
    assert [(each.altegio_user_id, each.email) for each in LocationPerson.objects.all()] == [(EMMA, EMMAS_EMAIL)]


def test_the_api_shows_the_profile_of_a_location(connected: Connection, client: Client) -> None:
    _key, secret = ApiKey.objects.create_key(name="reader", scopes=["read"])
    headers = {"Authorization": f"Api-Key {secret}"}
    location = client.get(f"/api/v1/connections/{connected.pk}/", headers=headers).json()["location"]
    assert (location["currency"], location["time_zone"]) == ("EUR", "Europe/London")
    assert location["people"][0]["email"] == EMMAS_EMAIL


def test_the_case_page_shows_it_to_who_may_look_at_people(connected: Connection, admin_client: Client) -> None:
    page = admin_client.get(f"/admin/connections/connection/{connected.pk}/change/").content.decode()
    assert "may manage its users" in page
    assert f"mailto:{EMMAS_EMAIL}" in page
    assert "Europe/London" in page


def test_without_a_token_nothing_is_asked_until_there_is_one(
    altegio: Sandbox, connect: Callable[..., Connection], work: Work
) -> None:
    connect(AURORA_1)
    assert not altegio.requests("company")
    assert refresh_profiles() == 0
    ApplicationToken.objects.create(application=Application.objects.get(), token=SYSTEM)
    assert refresh_profiles() == 1
    work()
    assert LocationProfile.objects.get().currency == "EUR"
    assert refresh_profiles() == 0, "seldom"


def test_the_locations_own_token_goes_first(altegio: Sandbox, connected: Connection, work: Work) -> None:
    UserToken.objects.create(location=connected.location, altegio_user_id=EMMA, token="its-own")
    LocationProfile.objects.update(due_at=timezone.now() - timedelta(days=1))
    altegio.fault("error", "company", status=401)
    refresh_profiles()
    work()
    assert LocationProfile.objects.get().error
    assert LocationPerson.objects.exists(), "a void token stops nothing else"


def test_no_record_keeps_the_token_or_the_people(connected: Connection) -> None:
    stored = everything_stored()
    assert SYSTEM not in stored
    bodies = "".join(Attempt.objects.filter(call__kind="fetch_people").values_list("response_body", flat=True))
    assert "not kept" in bodies
    assert EMMAS_EMAIL not in repr([*OutgoingCall.objects.values_list(), *Attempt.objects.values_list()])


def test_an_erased_person_is_removed_from_location_profiles(connected: Connection) -> None:
    erase_person(User.objects.get(email=EMMAS_EMAIL))
    assert not LocationPerson.objects.exists()


def test_altegios_list_does_not_bring_back_an_erased_person(
    connected: Connection, altegio: Sandbox, work: Work, settings: Settings
) -> None:
    """This holds under another SECRET_KEY too, and for an answer that was under way."""
    erase_person(User.objects.get(email=EMMAS_EMAIL))
    for fallbacks in ([settings.SECRET_KEY], []):
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key-of-the-test" * 3, fallbacks
        look_at(connected)
        work()
        assert not LocationPerson.objects.exists()
    assert not stands_in(everything_stored(), str(EMMA))
    AltegioIdentity.objects.create(user=User.objects.create_user("emma@new.example"), altegio_user_id=EMMA)
    look_at(connected)
    work()
    assert LocationPerson.objects.get().altegio_user_id == EMMA, "who is back"


def test_people_go_some_time_after_the_last_connection(connected: Connection) -> None:
    later = timezone.now() + timedelta(days=1)
    assert delete_old_people(later) == 0
    Connection.objects.update(state="uninstalled")
    assert delete_old_people(later) == 1


def test_an_owner_takes_along_what_is_known_of_them(connected: Connection) -> None:
    owner = User.objects.get(email=EMMAS_EMAIL)

    assert PERSONAL_DATA["people_of_locations"](owner)[0]["email"] == EMMAS_EMAIL
