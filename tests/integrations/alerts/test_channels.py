"""Alerts and their ends reach people's chats, in at most one message in five minutes."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.models import User
from integrations.alerts import channels
from integrations.alerts.channels import AT_MOST_EVERY, LEASE, PAUSE, NotSentError, announce_alerts
from integrations.alerts.models import Alert, AlertChannels
from integrations.alerts.raising import clear_alerts, raise_alert
from partner_portal.core.logs import SecretFreeReporterFilter
from tests.unkind_server import at_most, unkind_server

pytestmark = pytest.mark.django_db


class Chat(ThreadingHTTPServer):
    """A chat that keeps each message and answers as configured."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ChatHandler)
        self.messages: list[str] = []
        self.code = 200

    @property
    def url(self) -> str:
        """Return the chat's Apprise address, which contains a secret."""
        return f"json://user:hidden-word@127.0.0.1:{self.server_address[1]}/room"


class ChatHandler(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.messages.append(body["message"])
        self.send_response(self.server.code)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Log nothing."""


@pytest.fixture
def chat(settings: Any) -> Iterator[Chat]:
    server = Chat()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.ALERT_URLS = [server.url]
    yield server
    server.shutdown()
    server.server_close()


def raise_trouble(key: str) -> None:
    raise_alert(Alert.Kind.CALL, key, f"Trouble with {key}.")


def later(pause: timedelta) -> None:
    """Continue as if so much time had passed."""
    until = AlertChannels.objects.get().rests_until
    assert until is not None
    AlertChannels.objects.update(rests_until=until - pause)


def test_an_alert_and_its_end_are_sent_once_each(chat: Chat) -> None:
    raise_trouble("one")
    assert announce_alerts() == 1
    clear_alerts(key="one")
    later(AT_MOST_EVERY)
    assert announce_alerts() == 1
    later(AT_MOST_EVERY)
    assert announce_alerts() == 0

    first, second = chat.messages
    assert first.startswith("! Trouble with one.")
    assert second.startswith("✓ ended: Trouble with one.")
    assert "/admin/alerts/alert/" in first


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Aurora <b <3 & Co", "Aurora &lt;b &lt;3 &amp; Co"),
        ("<a href='https://evil.example'>Portal</a>", "href='https: //evil. example'"),
        ("<https://evil.example|Portal> <!channel>", "&lt;https: //evil. example|Portal&gt; &lt;!channel&gt;"),
        ("[Portal](https://evil.example)", "[Portal](https: //evil. example)"),
        ("@everyone", "@\u200beveryone"),
    ],
)
def test_a_strangers_words_stay_text_in_a_chat_that_reads_markup(
    chat: Chat, settings: Settings, written: str, shown: str
) -> None:
    settings.ALERT_URLS = [f"{chat.url}?format=html"]
    raise_trouble(written)
    announce_alerts()
    assert shown in chat.messages[0].replace("&apos;", "'").replace("&#39;", "'").replace("&nbsp;", " ")


def test_more_within_five_minutes_waits_and_comes_in_one_message(chat: Chat) -> None:
    raise_trouble("one")
    announce_alerts()
    for number in range(13):
        raise_trouble(f"later {number}")
    assert announce_alerts() == 0

    later(AT_MOST_EVERY)
    assert announce_alerts() == 13
    assert len(chat.messages) == 2
    assert "later 9" in chat.messages[1]
    assert "and 3 more" in chat.messages[1]


def test_an_alert_that_ended_before_it_was_sent_is_not_sent(chat: Chat) -> None:
    raise_trouble("one")
    clear_alerts(key="one")

    assert announce_alerts() == 0
    assert chat.messages == []


def test_a_message_that_was_not_accepted_is_sent_again(chat: Chat) -> None:
    chat.code = 500
    raise_trouble("one")
    assert announce_alerts() == 0
    assert announce_alerts() == 0

    chat.code = 200
    later(PAUSE)
    assert announce_alerts() == 1


def test_a_message_of_a_killed_process_is_sent_again(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    raise_trouble("one")
    monkeypatch.setattr(channels, "send", die)
    with pytest.raises(KeyboardInterrupt):
        announce_alerts()
    monkeypatch.undo()
    assert announce_alerts() == 0

    later(LEASE)
    assert announce_alerts() == 1


def test_without_an_address_nothing_is_asked_of_the_database(
    settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.ALERT_URLS = []
    with django_assert_num_queries(0):
        assert announce_alerts() == 0


def test_the_command_says_whether_each_address_takes_a_message(chat: Chat) -> None:
    said = StringIO()
    call_command("send_test_alert", stdout=said)

    assert said.getvalue() == "Taken by: json.\n"
    assert len(chat.messages) == 1
    assert not Alert.objects.exists()


def test_a_failing_address_causes_no_duplicates_at_the_others(chat: Chat, settings: Settings) -> None:
    settings.ALERT_URLS = ["json://127.0.0.1:9/", chat.url]
    raise_trouble("one")
    assert announce_alerts() == 1
    later(AT_MOST_EVERY)
    assert announce_alerts() == 0

    assert len(chat.messages) == 1


@pytest.mark.parametrize("broken", ["nonsense://x", "json://127.0.0.1:9/"])
def test_the_command_names_a_failing_address_without_its_secret(chat: Chat, settings: Settings, broken: str) -> None:
    settings.ALERT_URLS = [chat.url, broken]
    with pytest.raises(CommandError) as error:
        call_command("send_test_alert")

    assert broken.partition("://")[0] in str(error.value)
    assert "hidden-word" not in str(error.value)


def test_an_address_whose_answer_never_ends_holds_nobody_up(
    chat: Chat, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "MAX_SECONDS", 1.0)
    with unkind_server() as endless:
        endless.will(lambda talk: talk.trickle(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000))
        settings.ALERT_URLS = [endless.url.replace("http", "json"), chat.url]
        for _ in range(2):
            with at_most(5), pytest.raises(NotSentError) as refused:
                channels.send("Trouble.", is_trouble=True)
            assert not refused.value.by_all
        assert len(endless.requests) == 1
    assert chat.messages == ["Trouble."] * 2


def test_the_command_says_what_is_missing(settings: Settings) -> None:
    settings.ALERT_URLS = []
    with pytest.raises(CommandError, match=r"ALERT_URLS is empty.*See \.env\.example\.$"):
        call_command("send_test_alert")


@pytest.mark.parametrize(
    "url", [None, "slack:/hidden-word/x", "tgram://hidden-word", "hidden-word", "x hidden-word://"]
)
def test_an_address_stands_in_no_log(
    chat: Chat, settings: Settings, url: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    chat.code = 500
    settings.ALERT_URLS = [url or chat.url]
    raise_trouble("one")
    announce_alerts()

    assert "alerts_not_announced" in caplog.text
    assert "hidden-word" not in caplog.text


def test_the_addresses_stand_in_no_report_of_an_error() -> None:
    assert SecretFreeReporterFilter.hidden_settings.search("ALERT_URLS")


BUTTON = "Send a test alert"
TEST, ALERTS = "/admin/alerts/alert/test/", "/admin/alerts/alert/"


def test_staff_try_the_addresses_by_a_button(chat: Chat, admin_client: Client) -> None:
    assert BUTTON in admin_client.get(ALERTS).content.decode()
    said = admin_client.post(TEST, follow=True).content.decode()

    assert "Taken by: json." in said
    assert chat.messages == ["This is a test: alerts of the portal arrive here."]


def test_the_button_says_which_address_failed(chat: Chat, admin_client: Client) -> None:
    chat.code = 500
    said = admin_client.post(TEST, follow=True).content.decode()

    assert "No message was taken by: json." in said
    assert "hidden-word" not in said


def test_there_is_no_button_without_an_address(settings: Settings, admin_client: Client) -> None:
    settings.ALERT_URLS = []
    assert BUTTON not in admin_client.get(ALERTS).content.decode()


def test_staff_who_may_only_look_cannot_send_a_test(chat: Chat, client: Client) -> None:
    viewer = User.objects.create_user(email="viewer@portal.example", password="long-password-9", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_alert"))
    client.force_login(viewer)

    assert BUTTON not in client.get(ALERTS).content.decode()
    assert client.post(TEST).status_code == 403
    assert chat.messages == []
