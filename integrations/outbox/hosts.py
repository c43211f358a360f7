"""Which of the two hosts takes a call that the sources put under both (docs/altegio.md §2, tariffs and channels)."""

from http import HTTPStatus

from integrations.altegio.requests import Host
from integrations.outbox.models import KnownHost, OutgoingCall

FIRST: Host = "app"
# What a host answers that does not have the call at all; it may come as a page.
NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


def known_host(kind: str) -> Host:
    """The host on which a kind of call worked last; at first the one of Altegio's own notes."""
    known = KnownHost.objects.filter(kind=kind).values_list("host", flat=True).first()
    return "api" if known == "api" else FIRST


def host_of(call: OutgoingCall) -> Host:
    """Where a call goes: to its own host once the other has said that it is not there."""
    if call.host:
        return "api" if call.host == "api" else "app"
    return known_host(call.kind)


def other_host(host: Host) -> Host:
    """The other one of the two."""
    return "app" if host == "api" else "api"


def remember_host(call: OutgoingCall) -> None:
    """Remember the host that took this call: the next ones of its kind go there at once."""
    if call.host:
        KnownHost.objects.update_or_create(kind=call.kind, defaults={"host": call.host})
