"""The addresses that statuses may be sent to: known paths on Altegio's two hosts, stored without the partner token.

The partner token is sent along, so an address from outside may only choose among known paths. With any other path,
whoever reports a status could refund a payment or uninstall a location.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from django.conf import settings

from integrations.altegio.client import origin
from integrations.messaging.models import CallbackAddress
from partner_portal.core.english import english as _
from partner_portal.core.fast_query import Rows

PLACEHOLDER = "{partner_token}"
MAX_LENGTH = 450
_URL = re.compile(r"(https?://[A-Za-z0-9.:\[\]-]+)(/.*)")
# Dot segments, empty segments and % are excluded, because a server or library on the way may read them as another
# path.
_SEGMENT = rf"(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*|{re.escape(PLACEHOLDER)})"
_SMS_PROVIDER = rf"/smsprovider(?:/{_SEGMENT})+/?"
_DELIVERY_STATUS = "/delivery/status"
# The partner token follows `callback`, whatever comes between (docs/altegio.md §2).
_CALLBACK_TOKEN = re.compile(r"(/smsprovider/(?:.{1,450}?/)?callback/)[^/]+")


class InvalidStatusAddressError(ValueError):
    """Raised for an address that statuses may not be sent to; `str()` says why, without the address."""


class Target(NamedTuple):
    """One of Altegio's hosts and a path in which the partner token is a placeholder."""

    host: str
    path: str

    @property
    def packed(self) -> str:
        """The target as one text, for a database column."""
        return f"{self.host}{self.path}"

    @classmethod
    def unpacked(cls, text: str) -> "Target":
        """Return the target that `packed` turned into this text."""
        host, slash, path = text.partition("/")
        return cls(host, slash + path)


def target_url(target: Target) -> str:
    """Return the URL of a target, in the form that `read_target` reads."""
    host = settings.ALTEGIO_APP_URL if target.host == CallbackAddress.Host.APP else settings.ALTEGIO_API_URL
    return f"{origin(host)}{target.path}"


def default_target() -> Target:
    """Return the target for statuses of messages that came without an address (docs/altegio.md §2)."""
    path = urlsplit(settings.ALTEGIO_APP_URL).path + f"/smsprovider/status/callback/{PLACEHOLDER}"
    return Target(CallbackAddress.Host.APP, path)


def read_target(url: object) -> Target:
    """Return the target that a `delivery_callback_url` names. Raises InvalidStatusAddressError.

    Only its path is used; the host is always a configured one.
    """
    parts = _URL.fullmatch(url) if isinstance(url, str) and len(url) <= MAX_LENGTH else None
    if parts is None:
        raise InvalidStatusAddressError(_("Write the address that came with the message, at most 450 characters."))
    host = _hosts().get(origin(parts[1]))
    if host is None:
        raise InvalidStatusAddressError(_("Statuses go to Altegio's own addresses only."))
    target = Target(host, _without_own_token(parts[2]))
    refuse_other_paths(target)
    return Target(host, _CALLBACK_TOKEN.sub(rf"\1{PLACEHOLDER}", target.path))


def refuse_other_paths(target: Target) -> None:
    """Raise InvalidStatusAddressError unless statuses and our token may go to `target` (docs/interface.md, "SMS")."""
    if not any(re.fullmatch(path, target.path) for path in _open_paths(target.host)):
        raise InvalidStatusAddressError(
            _(
                "Write the address that came with the message: statuses go to a path under /smsprovider/, or to "
                "/delivery/status of Altegio's API, and to no other."
            )
        )


def is_documented(target: Target) -> bool:
    """Return whether this is an address of docs/altegio.md §2, where a 401 can only mean the partner token.

    At any other address, which was named by whoever reported a status, a 401 may be about the address.
    """
    api = settings.ALTEGIO_API_URL
    documented = {target_url(default_target()), origin(api) + urlsplit(api).path + _DELIVERY_STATUS}
    return target_url(target) in documented


def _hosts() -> dict[str, str]:
    return {
        origin(settings.ALTEGIO_API_URL): CallbackAddress.Host.API,
        origin(settings.ALTEGIO_APP_URL): CallbackAddress.Host.APP,
    }


def _open_paths(host: str) -> list[str]:
    """Return patterns for the whole paths of a host that statuses may be sent to."""
    app, api = settings.ALTEGIO_APP_URL, settings.ALTEGIO_API_URL
    paths = [f"(?:{re.escape(urlsplit(app).path)})?{_SMS_PROVIDER}"]
    if host == CallbackAddress.Host.API or origin(app) == origin(api):
        paths.append(re.escape(urlsplit(api).path + _DELIVERY_STATUS))
    return paths


def _without_own_token(path: str) -> str:
    token = settings.ALTEGIO_PARTNER_TOKEN
    for secret in {token, quote(token, safe="")} - {""}:
        path = path.replace(secret, PLACEHOLDER)
    return path


def path_with_token(address: CallbackAddress) -> str:
    """Return the path with the token in it. Raises InvalidStatusAddressError for one that is no longer allowed."""
    refuse_other_paths(Target(address.host, address.path))
    return address.path.replace(PLACEHOLDER, quote(settings.ALTEGIO_PARTNER_TOKEN, safe=""))


def stored_addresses(targets: Iterable[Target]) -> dict[Target, CallbackAddress]:
    """Return the rows of these targets, creating missing ones, in a constant number of queries."""
    wanted = sorted(set(targets), key=lambda target: (target.host, target.path))
    found = _found(wanted)
    if missing := [target for target in wanted if target not in found]:
        rows = [CallbackAddress(host=target.host, path=target.path) for target in missing]
        CallbackAddress.objects.bulk_create(rows, ignore_conflicts=True)
        found |= _found(missing)
    return found


_with_paths = Rows[CallbackAddress](lambda *paths: CallbackAddress.objects.filter(path__in=paths))


def _found(targets: list[Target]) -> dict[Target, CallbackAddress]:
    by_target = {Target(row.host, row.path): row for row in _with_paths(*(target.path for target in targets))}
    return {target: by_target[target] for target in targets if target in by_target}
