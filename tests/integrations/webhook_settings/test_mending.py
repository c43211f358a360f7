"""The webhook settings of a location are read, and repaired without touching those of others."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from integrations.activation.models import TakenSettings
from integrations.alerts.models import Alert
from integrations.connections.models import Application, Connection
from integrations.outbox.claim import due_calls
from integrations.outbox.models import OutgoingCall
from integrations.user_tokens.models import ApplicationToken
from integrations.webhook_settings.call_kinds import (
    NoTokenError,
    ReadWebhookSettings,
    _queue,
    mend_settings,
    own_address,
    read_settings,
)
from integrations.webhook_settings.models import WebhookSettings
from sandbox import Sandbox
from tests.integrations.interrupting import killed_after_altegios_yes
from tests.kept import everything_stored
from tests.marketplace import AURORA_1, arrive
from tests.working import Work

pytestmark = pytest.mark.django_db
OTHERS = "https://others.example/hook?secret=abcdef"


@pytest.fixture
def private(client: Client, altegio: Sandbox, work: Work) -> Connection:
    """Return a connection of a private application, active at the grant and without our address."""
    altegio.set_application(1, private=True)
    altegio.world.location(AURORA_1).hook_urls = [OTHERS]
    altegio.world.location(AURORA_1).hook_flags = {"client": 0}
    application, _made = Application.objects.get_or_create(altegio_id=1, defaults={"kind": "other"})
    ApplicationToken.objects.create(application=application, token="the-system-users")
    arrive(client, altegio, AURORA_1)
    work()
    return Connection.objects.get()


def at_altegio(altegio: Sandbox) -> tuple[list[str], int]:
    location = altegio.world.location(AURORA_1)
    return location.hook_urls, location.hook_flags["client"]


def state() -> str:
    return WebhookSettings.objects.get().state


def test_our_address_is_added_and_all_else_stays(altegio: Sandbox, private: Connection, work: Work) -> None:
    assert TakenSettings.objects.get().state == "not_sent"
    mend_settings(private)
    work()
    assert at_altegio(altegio) == ([OTHERS, own_address(private)], 0)
    assert state() == "present"
    calls = [each.call for each in altegio.requests() if "hooks" in each.call]
    assert calls == ["hooks_settings", "set_hooks_settings", "hooks_settings"], "read, written, read again"
    assert TakenSettings.objects.get().state == "taken"
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_a_token_that_is_removed_while_altegio_writes_fails_nothing(
    altegio: Sandbox, private: Connection, work: Work
) -> None:
    mend_settings(private)
    with killed_after_altegios_yes():
        work(rounds=1)
    ApplicationToken.objects.all().delete()
    OutgoingCall.objects.filter(state="sending").update(lease_until=timezone.now())
    work()
    assert OutgoingCall.objects.get(kind="mend_webhook_settings").state == "done"
    assert WebhookSettings.objects.get().error.startswith("Altegio took our address")
    assert len(altegio.requests("set_hooks_settings")) == 1


def test_present_settings_are_not_written_again(altegio: Sandbox, private: Connection, work: Work) -> None:
    altegio.world.location(AURORA_1).hook_urls.append(own_address(private))
    mend_settings(private)
    work()
    assert not altegio.requests("set_hooks_settings")
    assert state() == "present"


def test_addresses_added_by_another_system_since_a_reading_stay(
    altegio: Sandbox, private: Connection, work: Work
) -> None:
    """The case page reads the settings first, and what it showed a moment ago is not written back."""
    read_settings(private)
    work()
    altegio.world.location(AURORA_1).hook_urls.append("https://newer.example/hook")
    mend_settings(private)
    work()
    assert at_altegio(altegio)[0] == [OTHERS, "https://newer.example/hook", own_address(private)]


def test_two_applications_at_a_location_keep_each_others_address(
    client: Client, altegio: Sandbox, private: Connection, work: Work
) -> None:
    """They share one list: their writes go out one after another, each based on the list at that moment."""
    altegio.set_application(2, private=True)
    application, _made = Application.objects.get_or_create(altegio_id=2, defaults={"kind": "other"})
    ApplicationToken.objects.create(application=application, token="the-other-system-users")
    arrive(client, altegio, AURORA_1, application_id=2)
    work()
    both = [private, Connection.objects.get(application=application)]
    for ask in (read_settings, mend_settings):
        for connection in both:
            ask(connection)
        assert due_calls(timezone.now()).count() == 1
        work()
    assert at_altegio(altegio)[0] == [OTHERS, *map(own_address, both)]
    assert not Alert.objects.filter(key__startswith="webhooks-lost").exists()


def test_a_lost_answer_is_asked_about(altegio: Sandbox, private: Connection, work: Work) -> None:
    altegio.fault("drop_after", "set_hooks_settings")
    mend_settings(private)
    work()
    assert len(altegio.requests("set_hooks_settings")) == 1
    assert at_altegio(altegio)[0] == [OTHERS, own_address(private)]


@pytest.mark.parametrize("answer", [{"data": []}, {"data": {"urls": "none"}}])
def test_nothing_is_written_blindly(
    altegio: Sandbox, private: Connection, work: Work, answer: dict[str, Any]
) -> None:
    altegio.fault("error", "hooks_settings", status=200, body={"success": True, "meta": [], **answer})
    mend_settings(private)
    work()
    assert not altegio.requests("set_hooks_settings")
    assert state() == "failed"


def test_ten_addresses_leave_no_room(altegio: Sandbox, private: Connection, work: Work) -> None:
    altegio.world.location(AURORA_1).hook_urls = [f"https://others.example/{n}" for n in range(10)]
    mend_settings(private)
    work()
    assert "10 addresses already" in WebhookSettings.objects.get().error
    assert len(at_altegio(altegio)[0]) == 10


def test_missing_addresses_of_others_raise_an_alert(private: Connection, work: Work) -> None:
    _queue(ReadWebhookSettings, private, ("the hash of an address that was there before",))
    work()
    assert "addresses of other applications" in Alert.objects.get(key=f"webhooks-lost:{private.pk}").text


def test_others_addresses_stand_in_no_plain_column_and_without_a_token_nothing_is_asked(
    altegio: Sandbox, private: Connection, work: Work
) -> None:
    mend_settings(private)
    work()
    assert "abcdef" not in everything_stored()
    ApplicationToken.objects.all().delete()
    with pytest.raises(NoTokenError):
        read_settings(private)


def test_the_settings_are_shown_and_repaired_on_the_case_page(
    admin_client: Client, altegio: Sandbox, private: Connection, work: Work
) -> None:
    page = f"/admin/connections/connection/{private.pk}/change/"
    chosen = {"_selected_action": private.pk, "confirmed": "yes"}
    admin_client.post("/admin/connections/connection/", {**chosen, "action": "read_webhooks"})
    work()
    assert "our address is missing · 1 address of others" in admin_client.get(page).content.decode()
    asked = admin_client.post(
        "/admin/connections/connection/", {**chosen, "action": "mend_webhooks", "confirmed": ""}
    )
    assert "all others are written back as they are" in asked.content.decode()
    assert not altegio.requests("set_hooks_settings")
    admin_client.post("/admin/connections/connection/", {**chosen, "action": "mend_webhooks"})
    work()
    assert "our address is there" in admin_client.get(page).content.decode()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("mend_webhooks", *arguments, stdout=out)
    return out.getvalue()


def test_a_dry_run_of_the_command_changes_nothing(altegio: Sandbox, private: Connection) -> None:
    said = run("--dry-run")
    assert "our address is missing; 1 of others stay as they are" in said
    assert "1 of 1 lack our address. Nothing was changed." in said
    assert "abcdef" not in said
    assert not altegio.requests("set_hooks_settings")


@pytest.mark.parametrize(("typed", "written"), [("no", 0), ("yes", 1)])
def test_the_command_asks_once(
    altegio: Sandbox, private: Connection, monkeypatch: pytest.MonkeyPatch, typed: str, written: int
) -> None:
    monkeypatch.setattr("builtins.input", lambda _question: typed)
    said = run("--salon-id", str(AURORA_1))
    assert len(altegio.requests("set_hooks_settings")) == written
    assert ("mended" in said, "Nothing was changed" in said) == (bool(written), not written)


def test_the_command_says_what_it_cannot_do(altegio: Sandbox, private: Connection) -> None:
    with pytest.raises(CommandError, match="Nothing is connected at 999"):
        run("--salon-id", "999")
    altegio.fault("error", "hooks_settings", status=401)
    with pytest.raises(CommandError, match="1 could not be read"):
        run("--yes")
