"""Messages that Altegio sends through the partner have the right form, and the answer is used as §4a says."""

from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.messages import read_answer
from tests.sandbox.conftest import LONDON, Caller, Portal

ID, PHONE = "send-1", "36301000001"


def take(body: Any) -> Any:
    """Return the answer of a portal that accepts everything."""
    destinations = body["destination_params"]
    listed = destinations if isinstance(destinations, list) else [destinations]
    return [{"id": item.get("id", item.get("send_id")), "ext_id": f"x{number}"} for number, item in enumerate(listed)]


def test_a_message_goes_out_with_the_key_of_the_activation(sandbox: Sandbox, active: Caller, portal: Portal) -> None:
    portal.reply = take
    assert sandbox.send_messages(LONDON, text="Hello", sender="Salon") == [ID]
    assert sandbox.callbacks.wait()
    assert portal.keys == ["Bearer first"]
    assert portal.received == [
        (
            "/altegio/messages/",
            {
                "destination_params": {"id": ID, "phone": PHONE},
                "from": "Salon",
                "text": "Hello",
                "type": "sms",
                "dispatch_type": "service",
                "delivery_callback_url": f"{sandbox.app_url}/smsprovider/status/callback/demo-token",
            },
        )
    ]
    [sent] = sandbox.sent_messages()
    assert (sent["code"], sent["ext_id"], sent["problem"], sent["statuses"]) == (200, "x0", "", [])


def test_the_statuses_of_a_message_are_shown_as_they_come_back(
    sandbox: Sandbox, active: Caller, portal: Portal
) -> None:
    portal.reply = take
    sandbox.send_messages(LONDON)
    assert sandbox.callbacks.wait()
    active.report_sms({"id": ID, "status": 4})
    assert sandbox.sent_messages()[0]["statuses"] == [4]
    page = active.get("/messages/").text
    assert "sent to phone" in page
    assert "Every answer is as documented." in page


@pytest.mark.parametrize(
    ("switches", "params", "channel"),
    [
        (
            {"message_destinations": "list"},
            [{"id": ID, "phone": PHONE}, {"id": "send-2", "phone": "36301000002"}],
            "type",
        ),
        (
            {"message_id_name": "send_id", "message_phone_name": "phone_number"},
            {"send_id": ID, "phone_number": PHONE},
            "type",
        ),
        ({"message_channel_name": "channel"}, {"id": ID, "phone": PHONE}, "channel"),
    ],
)
def test_a_switch_plays_each_reading_of_what_is_uncertain(
    sandbox: Sandbox, active: Caller, portal: Portal, switches: dict[str, Any], params: Any, channel: str
) -> None:
    portal.reply = take
    sandbox.configure(**switches)
    sandbox.send_messages(LONDON, count=2)
    assert sandbox.callbacks.wait()
    bodies = sorted((body for _path, body in portal.received), key=str)
    assert bodies[0]["destination_params"] == params
    assert bodies[0][channel] == "sms"
    assert [sent["problem"] for sent in sandbox.sent_messages()] == ["", ""]


@pytest.mark.parametrize(
    ("status", "answer", "problem"),
    [
        (401, b'{"detail":"x"}', "answered 401"),
        (200, b"", "no list"),
        (200, b"{}", "no list"),
        (200, b"[]", "no list"),
        (200, b'[{"id":"other","ext_id":"1"}]', "no object with the id s1"),
        (200, b'[{"id":"s1","ext_id":7}]', "neither"),
        (200, b'[{"id":"s1","ext_id":"1","error_code":32,"error_message":"x"}]', "neither"),
        (200, b'[{"id":"s1","error_code":"32","error_message":"x"}]', "neither"),
    ],
)
def test_an_undocumented_answer_is_named(status: int, answer: bytes, problem: str) -> None:
    [(ext_id, refusal, found)] = read_answer(["s1"], status, answer)
    assert (ext_id, refusal) == ("", "")
    assert problem in found


def test_a_refusal_of_one_destination_is_as_documented() -> None:
    assert read_answer(["s1"], 200, b'[{"id":"s1","error_code":32,"error_message":"frozen"}]') == [
        ("", "32: frozen", "")
    ]


def test_messages_are_sent_from_another_process_and_from_the_page(
    sandbox: Sandbox, active: Caller, portal: Portal
) -> None:
    portal.reply = take
    assert active.post("/_sandbox/messages", {"salon_id": LONDON, "count": 2}).json() == {"ids": [ID, "send-2"]}
    form = {"place": f"{LONDON}-1", "text": "Hi", "sender": "Salon", "count": "1"}
    assert active.post("/messages/", None, data=form).status_code == 303
    assert active.post("/messages/switches/", None, data={"message_destinations": "list"}).status_code == 303
    assert sandbox.callbacks.wait()
    assert sandbox.settings.message_destinations == "list"
    assert [sent["text"] for sent in active.get("/_sandbox/messages").json()][2] == "Hi"


def test_without_a_key_nothing_is_sent(sandbox: Sandbox, altegio: Caller) -> None:
    assert altegio.post("/_sandbox/messages", {"salon_id": LONDON}).status_code == 400
    assert "Nobody has connected" in altegio.get("/messages/").text
