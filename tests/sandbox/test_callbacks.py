"""The sandbox sends the callbacks and events of docs/altegio.md §4."""

import hashlib
import hmac
from decimal import Decimal
from typing import Any

import pytest

from sandbox import RefusalError, Sandbox
from tests.sandbox.conftest import LONDON, Caller, Portal

CALLBACK = "/altegio/callback/"


def test_an_uninstall_and_a_freeze_send_callbacks(sandbox: Sandbox, active: Caller, portal: Portal) -> None:
    sandbox.freeze(LONDON)
    assert sandbox.callbacks.wait()
    sandbox.uninstall(LONDON)
    assert sandbox.callbacks.wait()
    common = {"partner_token": "demo-token", "salon_id": LONDON, "application_id": 1}
    assert portal.received == [
        (CALLBACK, common | {"event": "freeze"}),
        (CALLBACK, common | {"event": "uninstall"}),
    ]
    assert [item.code for item in sandbox.sent_callbacks()] == [200, 200]
    assert "demo-token" not in str(sandbox.sent_callbacks())


def test_the_partners_own_uninstall_sends_no_callback(sandbox: Sandbox, active: Caller, portal: Portal) -> None:
    active.post(f"/marketplace/salon/{LONDON}/application/1/uninstall")
    assert sandbox.callbacks.wait()
    assert portal.received == []


@pytest.mark.parametrize(("amount", "discount", "text"), [("990.99", None, "990.99"), ("990", 10, "990&discount=10")])
def test_a_payment_at_altegio_sends_a_signed_callback(
    sandbox: Sandbox, active: Caller, portal: Portal, amount: str, discount: int | None, text: str
) -> None:
    if discount is not None:
        body = {"salon_ids": [LONDON], "application_id": 1, "discount": discount}
        active.post("/marketplace/application/add_discount", body)
    payment_id = sandbox.pay(LONDON, amount=Decimal(amount))
    assert sandbox.callbacks.wait()
    payload = portal.received[0][1]
    signed = f"salon_id={LONDON}&amount={text}".encode()
    assert payload["sign"] == hmac.new(b"demo-token", signed, hashlib.sha256).hexdigest()
    assert (payload["event"], payload["payment_id"], payload["discount"]) == ("payment", payment_id, discount)
    assert active.status().json()["data"]["payments"][0]["id"] == payment_id


def test_the_numbers_of_a_payment_may_be_written_otherwise_than_signed(
    sandbox: Sandbox, active: Caller, portal: Portal
) -> None:
    sandbox.configure(padded_amounts=True)
    sandbox.pay(LONDON, amount=Decimal("15.50"))
    assert sandbox.callbacks.wait()
    payload = portal.received[0][1]
    signed = f"salon_id={LONDON}&amount=15.5".encode()
    assert payload["amount"] == "15.50"
    assert payload["sign"] == hmac.new(b"demo-token", signed, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("switches", "count"),
    [({"callback_copies": 2}, 2), ({"callbacks_enabled": False}, 0)],
)
def test_callbacks_come_twice_or_never(
    sandbox: Sandbox, active: Caller, portal: Portal, switches: dict[str, Any], count: int
) -> None:
    sandbox.configure(**switches)
    sandbox.uninstall(LONDON)
    assert sandbox.callbacks.wait()
    assert len(portal.received) == count


def test_a_callback_comes_late(sandbox: Sandbox, active: Caller, portal: Portal) -> None:
    sandbox.configure(callback_delay=0.2)
    sandbox.uninstall(LONDON)
    assert portal.received == []
    assert sandbox.callbacks.wait()
    assert len(portal.received) == 1


def test_any_callback_can_be_sent_by_hand(sandbox: Sandbox, portal: Portal) -> None:
    sandbox.send_callback({"salon_id": 1, "application_id": 1, "event": "surprise", "partner_token": "wrong"})
    assert sandbox.callbacks.wait()
    assert portal.received[0][1]["partner_token"] == "wrong"


def test_an_event_goes_to_the_stored_addresses_and_is_tried_three_times(
    sandbox: Sandbox, active: Caller, portal: Portal
) -> None:
    portal.answers = [500, 429, 503, 200]
    assert sandbox.send_event(LONDON, [{"company_id": str(LONDON)}]) == 1
    assert sandbox.callbacks.wait()
    assert portal.received == [("/altegio/events/abc/", [{"company_id": str(LONDON)}])] * 3


def test_a_frozen_location_sends_no_events(sandbox: Sandbox, active: Caller) -> None:
    sandbox.freeze(LONDON)
    with pytest.raises(RefusalError):
        sandbox.send_event(LONDON)


def test_a_portal_that_is_away_is_noted(sandbox: Sandbox, active: Caller) -> None:
    sandbox.portal_url = "http://127.0.0.1:1"
    sandbox.uninstall(LONDON)
    assert sandbox.callbacks.wait()
    assert sandbox.sent_callbacks()[-1].error
