"""The language of a page, and how a visitor's choice of one is kept.

The first of these decides: 1. The account's language, for a person who is signed in, by a cookie or by a frame token.
2. The visitor's choice in the page's footer: `?lang=`, kept on the links and redirects of the flow, because a
cross-site frame gets no cookie; it is not stored. 3. The language of the arrival's owner, on pages that show one
(`prefer`). 4. The browser's `Accept-Language`. 5. English.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

PARAMETER = "lang"
# Not `request.GET`, because an arrival's URL may have more fields than Django reads.
_CHOICE = re.compile(rf"(?:^|&){PARAMETER}=([A-Za-z-]{{2,8}})(?:&|$)")
# The query parameters that a link in the footer keeps; a URL with any others gets no links.
_CARRIED = ("next",)
_MAX_QUERY = 2000


def language(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Choose the page's language, set its headers and keep the visitor's choice on redirects (middleware)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        _speak(
            request, account_language(request) or chosen(request) or translation.get_language_from_request(request)
        )
        response = get_response(request)
        patch_vary_headers(response, ["Accept-Language"])
        response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        _keep_through_redirect(request, response)
        return response

    return middleware


def supported(code: str) -> str:
    """Return the portal's language for this code ("pt" for "pt-br"), or "" if there is none."""
    with suppress(LookupError):
        return str(translation.get_supported_language_variant(code))
    return ""


def account_language(request: HttpRequest) -> str:
    """Return the language of the account that is signed in, by a cookie or a frame token; "" for visitors."""
    if getattr(request, "in_frame", False):  # a cookie that comes there does not say whose page it is
        return supported(getattr(request.user, "language", ""))
    if not hasattr(request, "session"):  # an error came before the session middleware
        return ""
    # While the database is away, the error page still uses the browser's language.
    with suppress(DatabaseError):
        return supported(getattr(get_user(request), "language", ""))
    return ""


def chosen(request: HttpRequest) -> str:
    """Return the visitor's choice in this request's URL, or ""."""
    match = _CHOICE.search(request.META.get("QUERY_STRING", ""))
    return supported(match[1].lower()) if match else ""


def prefer(request: HttpRequest, code: str) -> None:
    """Show a page about somebody in their language, unless the visitor's account or choice says otherwise."""
    if (known := supported(code)) and not account_language(request) and not chosen(request):
        _speak(request, known)


def follow_account(request: HttpRequest) -> None:
    """Show the page in its owner's language, if the owner is known only after the middleware has chosen one."""
    if known := account_language(request):
        _speak(request, known)


def with_choice(address: str, code: str) -> str:
    """Return the URL with the choice of language in its query."""
    parts = urlsplit(address)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*query, (PARAMETER, code)])))


@dataclass(frozen=True)
class Choice:
    """One language in the footer: its code, its own name, the URL of the page in it, and whether it is active."""

    code: str
    name: str
    address: str
    is_current: bool


def choices(request: HttpRequest, address: str) -> list[Choice]:
    """Return the choices of language for the page at `address`; none if links would lose request parameters."""
    query = request.META.get("QUERY_STRING", "") if address == request.path else ""
    pairs = [pair for pair in parse_qsl(query[:_MAX_QUERY]) if pair[0] != PARAMETER]
    if len(query) > _MAX_QUERY or any(name not in _CARRIED for name, _value in pairs):
        return []
    here = f"{'' if address == request.path else address}?{urlencode(pairs)}"
    current = translation.get_language()
    return [
        Choice(code, own_name(code), with_choice(here, code), code == current) for code, _name in settings.LANGUAGES
    ]


def own_name(code: str) -> str:
    """Return a language's own name with a capital first letter."""
    name = str(translation.get_language_info(code)["name_local"])
    return name[:1].upper() + name[1:]


def _speak(request: HttpRequest, code: str) -> None:
    translation.activate(code)
    request.LANGUAGE_CODE = code


def _keep_through_redirect(request: HttpRequest, response: HttpResponse) -> None:
    address, code = response.headers.get("Location", ""), chosen(request)
    if code and address.startswith("/") and not address.startswith("//"):
        response.headers["Location"] = with_choice(address, code)
