"""A web host without its static files shows no page, and `/readyz/` says so."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from partner_portal.core.static_files import missing_static_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(settings: Settings, tmp_path: Path) -> Path:
    """Return a production web host on which nobody has collected static files."""
    settings.STATIC_ROOT = tmp_path
    collected = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": collected}
    return tmp_path


def restart(settings: Settings) -> None:
    """Restart the process, which reads the list of files anew."""
    settings.STORAGES = dict(settings.STORAGES)


def payload(client: Client) -> str:
    return str(client.get("/readyz/").json()["wrong"].get("static", ""))


def test_without_static_files_every_page_fails_and_readyz_says_what_to_do(host: Path, client: Client) -> None:
    client.raise_request_exception = False
    assert client.get("/account/sign-in/").status_code == 500
    assert "collectstatic" in payload(client)


def test_with_static_files_the_host_is_ready(host: Path, client: Client, settings: Settings) -> None:
    assert payload(client), "the process began without"
    call_command("collectstatic", "--noinput", verbosity=0)
    restart(settings)
    assert payload(client) == ""
    assert client.get("/account/sign-in/").status_code == 200


def test_files_of_an_earlier_release_are_not_enough(host: Path, client: Client, settings: Settings) -> None:
    call_command("collectstatic", "--noinput", verbosity=0)
    manifest = host / "staticfiles.json"
    manifest.write_text(manifest.read_text().replace('"admin/room.css"', '"admin/an-old-room.css"'))
    restart(settings)
    assert "admin/room.css" in payload(client)


def test_files_that_were_deleted_are_noticed(host: Path, client: Client, settings: Settings) -> None:
    call_command("collectstatic", "--noinput", verbosity=0)
    for file in host.glob("admin/room.*"):
        file.unlink()
    restart(settings)
    assert "admin/room.css" in payload(client)


def test_no_files_are_missing_when_none_need_collecting() -> None:
    assert missing_static_files() == ""
