"""No stored address makes the portal call the internal network, however it is written and whenever it changes."""

import socket
import time
from typing import Any

import pytest

from integrations.messaging.call_kinds import queue_relays
from integrations.messaging.models import CallbackAddress, MessageStatus, StatusBatch
from integrations.messaging.status_addresses import InvalidStatusAddressError, read_target
from integrations.outbox.models import OutgoingCall
from integrations.partner_events import sending
from integrations.partner_events.sending import NotAcceptedError, public_addresses
from partner_portal.core.http_client import sockets
from sandbox import Sandbox
from tests.working import Work

INSIDE = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("host", INSIDE)
def test_no_spelling_of_an_inner_address_is_called(host: str) -> None:
    with pytest.raises(NotAcceptedError):
        public_addresses(host.strip("[]"), 443, time.monotonic() + 5)


@pytest.mark.parametrize("scheme", ["http", "file", "gopher", "ftp", "dict", "", "unix"])
def test_only_https_is_called(scheme: str) -> None:
    with pytest.raises(NotAcceptedError):
        sending.checked_addresses(f"{scheme}://example.com/", time.monotonic() + 5)


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    with pytest.raises(NotAcceptedError):
        public_addresses("both.example", 443, time.monotonic() + 5)


def test_the_connection_is_made_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves elsewhere the second time (DNS rebinding) is not resolved again."""
    asked: list[str] = []

    def resolve(host: str, *_args: Any, **_kwargs: Any) -> Any:
        asked.append(host)
        ip = "8.8.8.8" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443))]

    def connect(peer: sockets.Peer, _ends_at: float) -> tuple[None, str]:
        connected.append(peer.addresses)
        return None, peer.addresses[0]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(sockets, "_connected", connect)
    monkeypatch.setattr(sockets, "_secured", lambda _line, host, _ends_at: named.append(host))
    connected: list[tuple[str, ...]] = []
    named: list[str] = []
    ends_at = time.monotonic() + 5
    addresses = sending.checked_addresses("https://rebinding.example/hook", ends_at)
    sockets.Line(sockets.Peer("https", "rebinding.example", 443, addresses), ends_at)
    assert (connected, asked) == ([("8.8.8.8",)], ["rebinding.example"])
    assert named == ["rebinding.example"], "the certificate is still the name's"


SMS = "/smsprovider/status/callback/token"
REFUND = "/marketplace/partner/payment/refund/1"
# Paths that would refund or uninstall with our token, and every way to write them behind an open path.
OTHER_PATHS = [
    "",
    "/",
    REFUND,
    "/marketplace/salon/1/application/1/uninstall",
    f"/smsprovider/..{REFUND}",
    f"/smsprovider/.{REFUND}",
    f"/smsprovider/status/callback/../../..{REFUND}",
    f"/smsprovider/%2e%2e{REFUND}",
    f"/smsprovider/%2E.{REFUND}",
    f"/smsprovider/..%2f{REFUND}",
    f"/smsprovider/..;{REFUND}",
    f"/smsprovider/..\\{REFUND}",
    f"/smsprovider\\..{REFUND}",
    f"/smsprovider/\t..{REFUND}",
    f"/smsprovider/{REFUND}",
    "/smsprovider//",
    "/smsprovider/",
    "/smsprovider",
    "/smsprovider/...",
    "/smsproviderx/status",
    f"/x{SMS}",
    f"/{SMS}",
    "/SMSPROVIDER/status",
    f"{REFUND}?/smsprovider/",
    f"{REFUND}#/smsprovider/status",
    "/api/v1/delivery/status/../../marketplace",
    "/api/v1/delivery/status?x=1",
    "/api/v1/delivery/status/x",
    f"{SMS}/\uff0e\uff0e/x",
]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.alteg.io.evil.example/",
        "https://app.alteg.io@evil.example/",
        "https://evil.example#@app.alteg.io/",
        "https://evil.example\\@app.alteg.io/",
        "https://app.alteg.io:444/",
        "http://app.alteg.io/",
        "ftp://app.alteg.io/",
        "//app.alteg.io/",
        "https://app.alteg.io\r\nHost: evil.example/",
        "https://127.0.0.1/",
        *(f"https://app.alteg.io{path}" for path in OTHER_PATHS),
        *(f"https://api.alteg.io{path}" for path in OTHER_PATHS),
        "https://app.alteg.io/delivery/status",
        "https://api.alteg.io/delivery/status",
        "https://app.alteg.io/api/v1/delivery/status",
        f"https://app.alteg.io{SMS}#/x",
        f"https://app.alteg.io{SMS}?next=/x",
        f"https://user@app.alteg.io{SMS}",
        f"https://app.alteg.io.{SMS}",
        f"https://app.alteg.io:8443{SMS}",
        f"http://app.alteg.io{SMS}",
        f"https://app.alteg.io{SMS}\n",
        f" https://app.alteg.io{SMS}",
    ],
)
def test_statuses_go_to_altegio_alone(url: str) -> None:
    with pytest.raises(InvalidStatusAddressError):
        read_target(url)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"https://app.alteg.io{SMS}", "/smsprovider/status/callback/{partner_token}"),
        (f"https://APP.alteg.io:443{SMS}", "/smsprovider/status/callback/{partner_token}"),
        (f"https://api.alteg.io{SMS}", "/smsprovider/status/callback/{partner_token}"),
        ("https://app.alteg.io/smsprovider/7/status/callback/x", "/smsprovider/7/status/callback/{partner_token}"),
        (f"https://app.alteg.io{SMS}/", "/smsprovider/status/callback/{partner_token}/"),
        ("https://app.alteg.io/smsprovider/callback/x", "/smsprovider/callback/{partner_token}"),
        ("https://app.alteg.io/smsprovider/v2/sms-status_1.json", "/smsprovider/v2/sms-status_1.json"),
        ("https://api.alteg.io/api/v1/delivery/status", "/api/v1/delivery/status"),
    ],
)
def test_the_addresses_that_altegio_gives_are_open(url: str, path: str) -> None:
    assert read_target(url).path == path


@pytest.mark.parametrize(
    "path", [REFUND, f"/smsprovider/..{REFUND}", "/smsprovider/status/callback/{partner_token}?x=1", "/", ""]
)
@pytest.mark.django_db
def test_an_address_stored_before_it_was_forbidden_gets_nothing(altegio: Sandbox, work: Work, path: str) -> None:
    address = CallbackAddress.objects.create(host="app", path=path)
    batch = StatusBatch.objects.create(address=address, size=1, first_id=1)
    MessageStatus.objects.create(batch=batch, address=address, message_id="m1", status=4)
    queue_relays([address.pk])

    work()

    assert altegio.requests() == []
    batch.refresh_from_db()
    assert (batch.state, "/smsprovider/" in batch.refusal) == ("refused", True)
    assert OutgoingCall.objects.get().state == "cancelled"
