"""The host for a call that the sources name under both (docs/altegio.md §2, tariffs and channels)."""

from http import HTTPStatus

from integrations.altegio.requests import Host
from integrations.outbox.models import KnownHost, OutgoingCall

FIRST: Host = "app"
# The codes of a host that does not have the call at all; the answer may be an HTML page.
NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


def known_host(kind: str) -> Host:
    """Return the host on which a kind of call worked last; at first the one of Altegio's own notes."""
    known = KnownHost.objects.filter(kind=kind).values_list("host", flat=True).first()
    return "api" if known == "api" else FIRST


def host_of(call: OutgoingCall) -> Host:
    """Return the host of a call: its own one, once the other has answered that it does not have the call."""
    if call.host:
        return "api" if call.host == "api" else "app"
    return known_host(call.kind)


def other_host(host: Host) -> Host:
    """Return the other one of the two hosts."""
    return "app" if host == "api" else "api"


def remember_host(call: OutgoingCall) -> None:
    """Remember the host that accepted this call: the next calls of its kind go there at once."""
    if call.host:
        KnownHost.objects.update_or_create(kind=call.kind, defaults={"host": call.host})
