"""Keys are replaced without losing a secret, and without an hour in which one cannot be read."""

from collections.abc import Callable
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core import signing
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from pytest_django.fixtures import Settings

from integrations.connections.models import Application, Chain, Connection, Installation, Location
from integrations.outbox import token_stop
from integrations.outbox.models import OutgoingCall
from partner_portal.core import key_rotation
from partner_portal.core.encryption import EncryptedTextField, rotated
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(settings: Settings) -> tuple[str, str]:
    """The old key, in force, and the new one."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    return old, new


def rotate() -> str:
    said = StringIO()
    call_command("rotate_keys", stdout=said, stderr=said)
    return said.getvalue()


def as_stored(model: type[Model]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{model._meta.db_table}" ORDER BY 1')
        return [value for row in cursor.fetchall() for value in row if str(value).startswith("gAAAA")]


def a_thousand_secrets() -> list[str]:
    Chain.objects.bulk_create(Chain(altegio_id=number, crm_token=f"token-{number}") for number in range(1, 1001))
    return [f"token-{number}" for number in range(1, 1001)]


def test_with_the_new_key_alone_every_secret_is_as_before(keys: tuple[str, str], settings: Settings) -> None:
    old, new = keys
    secrets = a_thousand_secrets()
    location, application = Location.objects.create(altegio_id=1), Application.objects.create(altegio_id=1)
    before = Installation.fresh(application, location)
    before.save()
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    said = rotate()

    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert list(Chain.objects.order_by("altegio_id").values_list("crm_token", flat=True)) == secrets
    after = Installation.objects.get()
    assert (after.api_key, after.events_key) == (before.api_key, before.events_key)
    assert "connections.Chain.crm_token 1000 of 1000, 1000 changed" in said
    assert "1002 secrets encrypted anew" in said


def test_a_second_run_changes_nothing(keys: tuple[str, str], settings: Settings) -> None:
    old, new = keys
    a_thousand_secrets()
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    rotate()
    stored = as_stored(Chain)
    assert "0 secrets encrypted anew" in rotate()
    assert as_stored(Chain) == stored


def test_every_encrypted_column_of_every_model_takes_part() -> None:
    expected = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, EncryptedTextField)
    }
    assert {progress.column for progress in key_rotation.rotate_keys()} == expected
    assert "connections.Installation.api_key" in expected


def test_a_secret_that_changes_meanwhile_keeps_its_new_value(
    keys: tuple[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = keys
    Chain.objects.create(altegio_id=1, crm_token="before")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]

    def meanwhile(stored: str) -> str:
        monkeypatch.undo()
        Chain.objects.update(crm_token="after")
        return rotated(stored)

    monkeypatch.setattr(key_rotation, "rotated", meanwhile)
    list(key_rotation.rotate_keys())
    assert Chain.objects.get().crm_token == "after"


def test_a_secret_that_fits_no_key_is_named_and_the_others_are_done(
    keys: tuple[str, str], settings: Settings
) -> None:
    _old, new = keys
    lost = Chain.objects.create(altegio_id=1, crm_token="x")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    Chain.objects.create(altegio_id=2, crm_token="fine")
    with pytest.raises(CommandError, match="Put their key"):
        rotate()
    assert [progress.unreadable for progress in key_rotation.rotate_keys() if progress.unreadable] == [[lost.pk]]


def test_what_an_earlier_secret_key_signed_stays_good(settings: Settings, client: Client) -> None:
    settings.SECRET_KEY = "first"
    signed = signing.dumps(1, salt="x")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    assert signing.loads(signed, salt="x") == 1
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(signing.BadSignature):
        signing.loads(signed, salt="x")


def test_another_partner_token_starts_the_calls_again(
    client: Client, altegio: Sandbox, work: Callable[..., None], settings: Settings
) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2])
    right, settings.ALTEGIO_PARTNER_TOKEN = settings.ALTEGIO_PARTNER_TOKEN, "withdrawn"
    work(rounds=1)
    assert token_stop.token_is_stopped()
    assert OutgoingCall.objects.filter(kind="activate", state="queued").count() == 2

    settings.ALTEGIO_PARTNER_TOKEN = right
    work()
    assert set(Connection.objects.values_list("state", flat=True)) == {"active"}


def test_the_bar_is_drawn_on_a_terminal(
    keys: tuple[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    a_thousand_secrets()
    said, drawn = StringIO(), Terminal()
    monkeypatch.setattr("sys.stderr", drawn)
    call_command("rotate_keys", stdout=said)
    assert "connections.Chain.crm_token:  40%" in drawn.getvalue()
    assert "400/1000" in drawn.getvalue()
    assert "connections.Chain.crm_token 1000 of 1000, 0 changed\n" in said.getvalue()
