"""Masking of secrets, so that none reaches a log, a page, an exception report or an unencrypted column."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from django.conf import settings

MASK = "•••"
# Characters of a text that a log line or a report shows: a traceback, not an address of a megabyte.
MAX_LOGGED = 10_000

# A secret next to its name: in query strings, JSON and Python's repr, also where the text ends before its quote does.
_NAMED = re.compile(
    r"""(?ix)
    (["']?\b(?:user_data_sign|user_data|crm_token|partner_token|api_key|password|new_password[12]|sign)\b["']?
     \s*[=:]\s*)
    (?: "[^"]*(?:"|\Z) | '[^']*(?:'|\Z) | [^\s&,;}\]"']+ )
    """
)
_AUTHORIZATION = re.compile(r"(?i)\b(Bearer|Api-Key)\s+[^\s,'\"]+")
_EVENT_ADDRESS = re.compile(r"(/altegio/events/)[^/\s\"']+")
_STATUS_CALLBACK = re.compile(r"(/smsprovider/(?:[^\s\"']{1,450}?/)?callback/)[^/\s\"']+")
# Also matches a URL that is quoted in the query of another one.
_LINK_TOKEN = re.compile(
    r"(?i)((?:/|%2F)connect(?:/|%2F)(?:status|step|confirm|as)(?:/|%2F))(?:[^/%\s\"'?&]|%(?!2F))+"
)
_EMAIL_TOKEN = re.compile(
    r"(?i)((?:/|%2F)(?:account(?:/|%2F)(?:reset|email|erase)|two-factor(?:/|%2F)link)(?:/|%2F))[^\s\"'?&]+"
)


# A signed token of the hand-over, anywhere in the text. It begins to read only where a word begins: a word that
# begins like a token again and again would otherwise be read again and again.
_JWT = re.compile(r"(?<![\w-])((?>[\w-]*?\b(?=eyJ[\w-])))[\w-]++\.[\w-]++\.[\w-]++")


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Mask in `text` the partner token, `secrets`, tokens in known URLs, and values next to a secret's name."""
    for secret in (settings.ALTEGIO_PARTNER_TOKEN, *secrets):
        if secret:
            text = text.replace(secret, MASK).replace(quote(secret, safe=""), MASK)
    text = _NAMED.sub(_hide_value, text)
    text = _AUTHORIZATION.sub(rf"\1 {MASK}", text)
    for pattern in (_EVENT_ADDRESS, _STATUS_CALLBACK, _LINK_TOKEN, _EMAIL_TOKEN, _JWT):
        text = pattern.sub(rf"\1{MASK}", text)
    return text


def mask_for_log(text: str) -> str:
    """Mask a text for a log line or a report, without its middle if it is longer than MAX_LOGGED.

    So its time has a bound, whatever a stranger wrote into a request. The word and the line that are cut
    go with the middle, because half a secret would not be recognised.
    """
    if len(text) <= MAX_LOGGED:
        return mask(text)
    half = MAX_LOGGED // 2
    start = "".join(text[:half].rsplit(maxsplit=1)[:-1])
    _cut, _line_end, end = text[-half:].partition("\n")
    return mask(f"{start} […{len(text)} characters…] {end}")


def mask_phone(phone: str) -> str:
    """Mask a telephone number except its last two digits: enough to recognise it, not to dial it."""
    return f"{MASK}{phone[-2:]}" if phone else ""


def _hide_value(found: re.Match[str]) -> str:
    """Return the match with the secret masked; its name and quotes stay, so that JSON stays JSON."""
    named, quote_mark = found[1], found[0][-1]
    return f"{named}{quote_mark}{MASK}{quote_mark}" if quote_mark in "\"'" else f"{named}{MASK}"
