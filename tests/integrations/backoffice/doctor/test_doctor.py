"""The doctor finds what is wrong and says what to do."""

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.migrations.executor import MigrationExecutor
from pytest_django.fixtures import Settings

from integrations.backoffice.doctor import examination
from integrations.connections.models import Application, Connection
from integrations.user_tokens.models import ApplicationToken
from partner_portal.core.console_email import PRINTED
from sandbox import Sandbox

pytestmark = pytest.mark.django_db


def doctor(capsys: pytest.CaptureFixture[str]) -> str:
    call_command("doctor")
    return capsys.readouterr().out


def test_a_healthy_portal_is_reported_with_its_addresses(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = doctor(capsys)
    assert "The portal is in good health." in payload
    assert "http://localhost:8000/connect/" in payload
    assert "http://localhost:8000/altegio/callback/" in payload


def test_the_address_for_messages_is_named_once_they_are_taken(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "/altegio/messages/" not in doctor(capsys)
    Application.objects.update(takes_messages=True)
    assert "http://localhost:8000/altegio/messages/" in doctor(capsys)


def test_a_wrong_token_is_named_and_not_shown(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.ALTEGIO_PARTNER_TOKEN = "a-wrong-one"
    with pytest.raises(CommandError, match="to be mended"):
        doctor(capsys)
    payload = capsys.readouterr().out
    assert "Check ALTEGIO_PARTNER_TOKEN" in payload
    assert "a-wrong-one" not in payload


def test_an_altegio_out_of_reach_is_named_with_its_address(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.ALTEGIO_APP_URL = "http://127.0.0.1:1"
    with pytest.raises(CommandError):
        doctor(capsys)
    assert "Check the address: http://127.0.0.1:1/" in capsys.readouterr().out


def test_a_missing_setting_is_named(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    settings.ALTEGIO_PARTNER_TOKEN, settings.ALTEGIO_APPLICATION_ID = "", None
    with pytest.raises(CommandError):
        doctor(capsys)
    assert "Set ALTEGIO_APPLICATION_ID" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "words"), [(None, "answers, and accepts the token"), (401, "Copy application_token anew")]
)
def test_an_application_token_is_tried_at_a_connected_location(
    altegio: Sandbox,
    capsys: pytest.CaptureFixture[str],
    connect: Callable[..., Connection],
    status: int | None,
    words: str,
) -> None:
    ApplicationToken.objects.create(application=connect(10101).application, token="the-system-users")
    if status:
        altegio.fault("error", "company", status=status)
        with pytest.raises(CommandError):
            doctor(capsys)
        payload = capsys.readouterr().out
    else:
        payload = doctor(capsys)
    assert words in payload
    assert "the-system-users" not in payload


def test_keys_that_cannot_read_stored_secrets_are_reported(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], connect: Callable[..., Connection], settings: Settings
) -> None:
    connect(10101)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError):
        doctor(capsys)

    printed = capsys.readouterr().out
    assert "no key fits" in printed
    assert "connections.Installation.api_key" in printed


def test_a_missing_mail_server_is_reported(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "partner_portal.core.smtp_backend.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(CommandError):
        doctor(capsys)
    assert "E-mail: the mail server cannot be used" in capsys.readouterr().out


def test_printed_emails_are_reported(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.EMAIL_BACKEND = PRINTED
    assert "E-mail: e-mails are printed, and reach nobody" in doctor(capsys)


def test_a_silenced_check_is_not_reported(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    assert "BRAND_NAME is not set" in doctor(capsys)
    settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, "portal.W004"]
    assert "BRAND_NAME is not set" not in doctor(capsys)


def _is_away(*_args: object, **_options: object) -> None:
    raise OperationalError("connection to server failed:\n\tConnection refused")


def test_an_unavailable_database_is_reported_once(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "MigrationExecutor", _is_away)
    with pytest.raises(CommandError, match="One thing is to be mended"):
        doctor(capsys)
    printed = capsys.readouterr().out
    assert "✗ Database: OperationalError: connection to server failed: Connection refused" in printed
    assert "Check DATABASE_URL" in printed


def test_before_the_first_migration_it_says_to_migrate(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["the first"])
    monkeypatch.setattr(Application.objects, "order_by", _is_away)
    with pytest.raises(CommandError, match="One thing is to be mended"):
        doctor(capsys)
    assert "Run: python manage.py migrate --noinput" in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["is_personal_data_access_needed", "is_multiple_salons_allowed", "is_iframe"])
def test_the_flags_of_the_developer_account_are_named(
    altegio: Sandbox, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    assert flag in doctor(capsys)
