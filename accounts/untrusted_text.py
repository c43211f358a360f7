"""Texts by strangers made safe for an e-mail: harmless to its headers, and without links.

Whoever signs up under another's address could write to them by a location's title, a name or Altegio's words. Mail
programs make links of what looks like an address, so nothing may: "evil.example" becomes "evil. example", "https://"
becomes "https: //". The portal's own addresses are recognised by their names in the context and where they lead.
"""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.functional import Promise

from partner_portal.core.bidi import embedded
from partner_portal.core.clean import clean_text

MAX_LENGTH = 500
# Characters that are invisible inside a word. Those that join letters and pictures stay; `embedded` handles those
# that turn directions around.
_INVISIBLE = re.compile("[\xad\u061c\u180e\u200b\u2060-\u2065\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
# Includes line ends of every kind; the spaces inside numbers and amounts stay.
_SPACES = re.compile(r"[^\S\xa0\u202f]+")
# "x.y" with every character that a browser reads as a dot; amounts and dates stay, addresses of four numbers do not.
_DOTS = "[.\u2024\u3002\ufe52\uff0e\uff61]"
_NUMBERS = re.compile(rf"(?:\d{{1,30}}{_DOTS}){{3,}}\d")
_DOT = re.compile(rf"(?<=\S)({_DOTS})(?=[^\s\d])|(?<=[^\s\d])({_DOTS})(?=\d)")
# Begins only where what a scheme is made of begins, so that nothing is read twice.
_SCHEME = re.compile(r"(?<![a-z\d+.-])((?>[a-z\d+.-]*?\b(?=[a-z]))[a-z\d+.-]++)[:\uff1a](?=\S)", re.IGNORECASE)
# People who sign up choose a name. One that looks like an address is left out: a greeting works without it.
_NO_NAME = re.compile(rf"[/:@]|\w{_DOTS}\w")
_PLAIN = (int, float, Decimal, dt.date, dt.datetime, type(None))


class PartnersAddress(str):
    """An address that staff have set; it may lead anywhere."""


def harmless(context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of an e-mail with each text made harmless, judged by its name, however deep it is nested.

    Raises TypeError for what is neither text, number, moment, list nor dict: a row's columns could not be judged.
    """
    return {name: _judged(name, value) for name, value in context.items()}


def _judged(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return harmless(value)
    if isinstance(value, list | tuple):
        return [_judged(name, item) for item in value]
    if isinstance(value, _PLAIN):
        return value
    if not isinstance(value, str | Promise):
        raise TypeError(
            f"An e-mail's {name} must be text, a number, a date, a list or a dict: {type(value).__name__}."
        )
    text = str(value)
    if name == "link" or name.endswith("_url"):
        may_stand = isinstance(value, PartnersAddress) or _is_ours(text)
        return text if may_stand and _is_whole(text) else ""
    if name == "name" and _NO_NAME.search(text):
        return ""
    return embedded(_without_links(_in_one_line(text)))


def _is_ours(address: str) -> bool:
    """Return whether the address leads to the portal or to Altegio."""
    ours = tuple(f"{origin}/" for origin in (settings.PORTAL_URL, settings.ALTEGIO_APP_URL))
    return f"{address}/".startswith(ours)


def _is_whole(address: str) -> bool:
    """Return whether the address contains nothing that would end it."""
    return address.isprintable() and not re.search(r"[\s<>\"']", address)


def _in_one_line(text: str) -> str:
    return clean_text(_INVISIBLE.sub("", _SPACES.sub(" ", text))).strip()[:MAX_LENGTH]


def _without_links(text: str) -> str:
    text = _NUMBERS.sub(lambda found: re.sub(_DOTS, ". ", found[0]), text)
    text = _SCHEME.sub(r"\1: ", text)
    return _DOT.sub(lambda found: f"{found[0]} ", text)
