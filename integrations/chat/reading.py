"""Parsing of what a chat bot names: the page of its panel, and a client's number."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from partner_portal.core.english import english as _
from partner_portal.core.public_addresses import is_public

MAX_URL = 500
# Names that lead nowhere from an owner's browser.
INNER_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_PHONE = re.compile(r"\+?[0-9]{5,20}")
_BETWEEN_DIGITS = re.compile(r"[\s().-]")


def read_panel_url(text: str) -> str:
    """Return the address of a page that owners' browsers open inside Altegio: https, with a public host.

    Raises ValueError, whose text says what to write. The portal itself never opens the page.
    """
    try:
        parts = urlsplit(text)
        host, _port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise ValueError(_("Write a whole address, like https://chat.example.com/panel.")) from None
    if not text.isascii() or not text.isprintable() or " " in text or not host or parts.username is not None:
        raise ValueError(_("Write a whole address, like https://chat.example.com/panel."))
    if not settings.EVENTS_ALLOW_PRIVATE and (parts.scheme != "https" or not _is_public_host(host)):
        raise ValueError(_("Write an address that begins with https:// and leads to a public host."))
    return text


def _is_public_host(host: str) -> bool:
    try:
        return is_public(str(ip_address(host)))
    except ValueError:
        return "." in host and not host.endswith(INNER_NAMES) and not host.replace(".", "").isdigit()


def read_phone(text: str) -> str:
    """Return a client's number without separators. Raises ValueError, whose text says what to write."""
    digits = _BETWEEN_DIGITS.sub("", text)
    if not _PHONE.fullmatch(digits):
        raise ValueError(_("Write the number with its country: 5 to 20 digits."))
    return digits
