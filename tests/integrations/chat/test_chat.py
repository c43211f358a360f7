"""A chat bot sets a location's panel, and tells Altegio of what clients write."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from integrations.chat.models import ChatPanel, ChatSignal
from integrations.connections.models import Connection
from integrations.outbox.models import OutgoingCall
from partner_portal.core.retention import delete_old
from sandbox import Sandbox
from sandbox.models import Connection as Account
from tests.kept import everything_stored
from tests.not_none import not_none
from tests.response import Api, Response

pytestmark = pytest.mark.django_db
Bot = Callable[[str, str, object], Response]
PANEL = "https://chat.example.com/panel?location=1"
SAID = {"phone": "+36 30 123-45-67", "name": 'Anna "Ann" Ívány', "message": "At 10?\nOr at 11 ☕"}


@pytest.fixture
def connection(connect: Callable[..., Connection]) -> Connection:
    return connect(10101, kind="chat_bot")


@pytest.fixture
def bot(api: Api, connection: Connection) -> Bot:
    """`bot("put", "panel", body)` calls the API for the connection with a key for chats."""
    _key, secret = ApiKey.objects.create_key(name="bot", scopes=["chat"])
    return lambda method, what, body: api(method, f"connections/{connection.pk}/chat-{what}/", body, secret=secret)


def at_altegio(altegio: Sandbox) -> Account:
    return not_none(altegio.connection(10101))


def test_the_panel_is_set_and_removed(altegio: Sandbox, bot: Bot, work: Callable[..., None]) -> None:
    answer = bot("put", "panel", {"url": PANEL})
    assert (answer.status_code, answer.json()) == (202, {"url": PANEL, "sync_state": "queued", "error": ""})
    work()
    assert at_altegio(altegio).chat_panel == PANEL
    assert ChatPanel.objects.get().sync_state == "synced"
    assert bot("put", "panel", {"url": None}).json()["url"] is None
    work()
    assert at_altegio(altegio).chat_panel is None


def test_of_quick_changes_the_last_one_goes_out(altegio: Sandbox, bot: Bot, work: Callable[..., None]) -> None:
    for number in (1, 2, 3):
        bot("put", "panel", {"url": f"https://chat.example.com/{number}"})
    work()
    assert at_altegio(altegio).chat_panel == "https://chat.example.com/3"
    assert len(altegio.requests("install_frame")) == 1


def test_altegio_says_yes_also_where_its_limit_keeps_the_panel_away(
    altegio: Sandbox, bot: Bot, work: Callable[..., None]
) -> None:
    altegio.configure(max_chat_panels=0)
    bot("put", "panel", {"url": PANEL})
    work()
    assert at_altegio(altegio).chat_panel is None
    assert ChatPanel.objects.get().sync_state == "synced"


@pytest.mark.parametrize(
    "url",
    [
        "", 7, "chat.example.com", "http://chat.example.com/", "javascript:alert(1)", "https://", "https://localhost/",
        "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/x", "https://2130706433/", "https://chat.internal/",
        "https://a@chat.example.com/", "https://chat.example.com:99999/", "https://chat.example.com/a b",
        "https://chat.example.com/" + "x" * 500,
    ],
)  # fmt: skip
def test_the_panels_address_is_https_and_public(bot: Bot, url: Any) -> None:
    answer = bot("put", "panel", {"url": url})
    assert answer.status_code == 400
    assert list(answer.json()) == ["url"]
    assert bot("put", "panel", {}).status_code == 400
    assert not ChatPanel.objects.exists()


def test_what_a_client_wrote_is_told_and_then_forgotten(
    altegio: Sandbox, bot: Bot, work: Callable[..., None]
) -> None:
    answer = bot("post", "messages", SAID)
    assert (answer.status_code, answer.json()) == (202, {"id": ChatSignal.objects.get().pk, "state": "queued"})
    for word in ("36301234567", "Anna", "Or at 11"):
        assert word not in everything_stored()
    work()
    expected = {"phone_from": "+36301234567", "name": SAID["name"], "message": SAID["message"]}
    assert at_altegio(altegio).chat_messages == [expected]
    signal, stored = ChatSignal.objects.get(), everything_stored()
    assert (signal.state, signal.phone, signal.name, signal.message) == ("sent", "", "", "")
    for word in ("36301234567", "Anna", "Or at 11"):
        assert word not in stored


def test_messages_go_in_order(altegio: Sandbox, bot: Bot, work: Callable[..., None]) -> None:
    for number in range(5):
        bot("post", "messages", SAID | {"message": f"m{number}"})
    work()
    assert [item["message"] for item in at_altegio(altegio).chat_messages] == [f"m{number}" for number in range(5)]


def test_a_message_is_told_again_after_an_uncertain_end(
    altegio: Sandbox, bot: Bot, work: Callable[..., None]
) -> None:
    altegio.fault("drop_after", "new_message", remaining=1)
    bot("post", "messages", SAID)
    work()
    assert len(altegio.requests("new_message")) == 2
    assert ChatSignal.objects.get().state == "sent"


def test_a_highlight_is_turned_over(altegio: Sandbox, bot: Bot, work: Callable[..., None]) -> None:
    for stands_out in (["+36301234567"], []):
        assert bot("post", "highlights", SAID).status_code == 202
        work()
        assert at_altegio(altegio).chat_highlights == stands_out


def test_a_highlight_that_may_have_happened_is_not_turned_over_again(
    altegio: Sandbox, bot: Bot, work: Callable[..., None]
) -> None:
    altegio.fault("drop_after", "toggle_highlight", remaining=1)
    bot("post", "highlights", SAID)
    work()
    assert len(altegio.requests("toggle_highlight")) == 1
    assert at_altegio(altegio).chat_highlights == ["+36301234567"]
    signal = ChatSignal.objects.get()
    assert (signal.state, signal.phone) == ("failed", "")
    assert "Nobody can tell" in signal.error


def test_after_an_hour_it_is_not_told_any_more(altegio: Sandbox, bot: Bot, work: Callable[..., None]) -> None:
    bot("post", "messages", SAID)
    OutgoingCall.objects.filter(kind="chat_message").update(deadline_at=timezone.now() - timedelta(seconds=1))
    work()
    assert not altegio.requests("new_message")
    assert (ChatSignal.objects.get().state, ChatSignal.objects.get().message) == ("failed", "")


def test_altegios_refusal_is_kept_without_the_words(altegio: Sandbox, bot: Bot, work: Callable[..., None]) -> None:
    altegio.freeze(10101)
    bot("post", "messages", SAID)
    work()
    signal = ChatSignal.objects.get()
    assert (signal.state, signal.message) == ("failed", "")
    assert signal.error


@pytest.mark.parametrize(
    "wrong", [{"phone": "anonymous"}, {"phone": ""}, {"name": ""}, {"message": ""}, {"message": "x" * 4001}]
)
def test_a_wrong_field_is_named(bot: Bot, wrong: dict[str, str]) -> None:
    for what in ("messages", "highlights"):
        answer = bot("post", what, SAID | wrong)
        assert (answer.status_code, list(answer.json())) == (400, list(wrong))
    assert not ChatSignal.objects.exists()


def test_only_a_live_connection_has_a_chat(bot: Bot, connection: Connection, api: Api) -> None:
    Connection.objects.filter(pk=connection.pk).update(state="uninstalled")
    assert bot("put", "panel", {"url": PANEL}).status_code == 409
    assert bot("post", "messages", SAID).status_code == 409
    assert api("post", f"connections/{connection.pk}/chat-messages/", SAID).status_code == 403
    assert not OutgoingCall.objects.filter(kind__startswith="chat").exists()


def test_signals_go_with_their_time(bot: Bot, work: Callable[..., None], altegio: Sandbox) -> None:
    bot("post", "messages", SAID)
    work()
    ChatSignal.objects.update(received_at=timezone.now() - timedelta(days=31))
    assert delete_old()["chat signals"] == 1
    assert not ChatSignal.objects.exists()


def test_the_control_room_shows_no_words(bot: Bot, admin_client: Client) -> None:
    bot("post", "messages", SAID)
    bot("put", "panel", {"url": PANEL})
    signal = ChatSignal.objects.get()
    for path in ("chatsignal/", f"chatsignal/{signal.pk}/change/"):
        page = admin_client.get(f"/admin/chat/{path}").content.decode()
        assert "Anna" not in page
        assert "on its way" in page
    assert "chat.example.com" in admin_client.get("/admin/chat/chatpanel/").content.decode()
