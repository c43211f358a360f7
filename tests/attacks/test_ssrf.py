"""No stored address makes the portal call the inside: whatever way the address is written, whenever it changes."""

import socket

import pytest

from integrations.events import webhooks
from integrations.events.webhooks import NotTaken, is_public, public_address
from integrations.sms.addresses import BadAddress, read_target

INSIDE = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("host", INSIDE)
def test_no_spelling_of_an_inner_address_is_called(host):
    with pytest.raises(NotTaken):
        public_address(host.strip("[]"), 443)


@pytest.mark.parametrize("scheme", ["http", "file", "gopher", "ftp", "dict", "", "unix"])
def test_only_https_is_called(scheme):
    with pytest.raises(NotTaken):
        webhooks._pool(webhooks.urlsplit(f"{scheme}://example.com/"))


@pytest.mark.parametrize(
    "address", ["::7f00:1", "::ffff:10.0.0.1", "2001:0:1::", "fec0::1", "64:ff9b::a00:1", "ff02::1"]
)
def test_no_ipv6_form_of_an_inner_address_is_public(address):
    assert not is_public(address)


def test_one_inner_answer_among_public_ones_is_enough_to_refuse(monkeypatch):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    with pytest.raises(NotTaken):
        public_address("both.example", 443)


def test_the_connection_is_made_to_the_address_that_was_checked(monkeypatch):
    """A name that leads elsewhere at the second question (DNS rebinding) is not asked a second time."""
    asked: list[str] = []

    def resolve(host, *_args, **_kwargs):
        asked.append(host)
        ip = "8.8.8.8" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    pool = webhooks._pool(webhooks.urlsplit("https://rebinding.example/hook"))
    assert (pool.host, asked) == ("8.8.8.8", ["rebinding.example"])
    assert pool.assert_hostname == "rebinding.example", "the certificate is still the name's"


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
    ],
)
def test_statuses_go_to_altegio_alone(url):
    with pytest.raises(BadAddress):
        read_target(url)
