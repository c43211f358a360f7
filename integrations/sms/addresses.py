"""Where statuses may go: only to Altegio's two hosts, and never with the token in a stored address."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.altegio.client import origin
from integrations.sms.models import CallbackAddress

PLACEHOLDER = "{partner_token}"
MOST_LENGTH = 450
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?")
_CALLBACK_TOKEN = re.compile(r"(/smsprovider/status/callback/)[^/?]+")


class BadAddress(ValueError):
    """Statuses do not go there; `str()` says why, without the address."""


@dataclass(frozen=True)
class Target:
    """One of Altegio's hosts and a path in which the partner token is a placeholder."""

    host: str
    path: str


def default_target() -> Target:
    """The address for messages that came with none (ALTEGIO.md §2)."""
    path = urlsplit(settings.ALTEGIO_APP_URL).path + f"/smsprovider/status/callback/{PLACEHOLDER}"
    return Target(CallbackAddress.Host.APP, path)


def read_target(url: object) -> Target:
    """The target that a `delivery_callback_url` names. Raises BadAddress.

    Only the path and the query of it are used: the host is always a configured one.
    """
    if not isinstance(url, str) or len(url) > MOST_LENGTH or not _URL.fullmatch(url):
        raise BadAddress(_("Write the address that came with the message, at most 450 characters."))
    hosts = {
        origin(settings.ALTEGIO_API_URL): CallbackAddress.Host.API,
        origin(settings.ALTEGIO_APP_URL): CallbackAddress.Host.APP,
    }
    host = hosts.get(origin(url))
    if host is None:
        raise BadAddress(_("Statuses go to Altegio's own addresses only."))
    parts = urlsplit(url)
    return Target(host, _without_token(parts.path + (f"?{parts.query}" if parts.query else "")) or "/")


def _without_token(path: str) -> str:
    token = settings.ALTEGIO_PARTNER_TOKEN
    for secret in {token, quote(token, safe="")} - {""}:
        path = path.replace(secret, PLACEHOLDER)
    return _CALLBACK_TOKEN.sub(rf"\1{PLACEHOLDER}", path)


def path_with_token(address: CallbackAddress) -> str:
    """The path as it is sent."""
    return address.path.replace(PLACEHOLDER, quote(settings.ALTEGIO_PARTNER_TOKEN, safe=""))


def stored_addresses(targets: Iterable[Target]) -> dict[Target, CallbackAddress]:
    """The rows of these targets; new ones are made. A constant number of queries."""
    wanted = sorted(set(targets), key=lambda target: (target.host, target.path))
    found = _found(wanted)
    if missing := [target for target in wanted if target not in found]:
        rows = [CallbackAddress(host=target.host, path=target.path) for target in missing]
        CallbackAddress.objects.bulk_create(rows, ignore_conflicts=True)
        found |= _found(missing)
    return found


def _found(targets: list[Target]) -> dict[Target, CallbackAddress]:
    rows = CallbackAddress.objects.filter(path__in=[target.path for target in targets])
    by_target = {Target(row.host, row.path): row for row in rows}
    return {target: by_target[target] for target in targets if target in by_target}
