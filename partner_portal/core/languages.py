"""Which language a page speaks, and how a visitor's choice of one is kept: one rule, here.

1. The account's, for whoever is signed in, by a cookie or by a frame token. 2. What the visitor chose in the
page's footer: `?lang=`, kept on the links and redirects of the flow, because a cross-site frame gets no cookie;
nothing of it is stored. 3. That of the arrival's owner, on pages that show one (`prefer`). 4. The browser's
`Accept-Language`. 5. English.
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
# Not `request.GET`: an arrival's address may hold more fields than Django reads.
_CHOICE = re.compile(rf"(?:^|&){PARAMETER}=([A-Za-z-]{{2,8}})(?:&|$)")
# What a link in the footer carries along; an address that says more is not repeated.
_CARRIED = ("next",)
_MAX_QUERY = 2000


def language(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the page's language, told to the browser and to caches; a choice survives redirects."""

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
    """Our language for this code ("pt" for "pt-br"), or "" where it is none of ours."""
    with suppress(LookupError):
        return str(translation.get_supported_language_variant(code))
    return ""


def account_language(request: HttpRequest) -> str:
    """Return what the account that is signed in, by a cookie or by a frame token, has chosen; "" for visitors."""
    if getattr(request, "in_frame", False):  # there a cookie, if one comes, is not whose page it is
        return supported(getattr(request.user, "language", ""))
    if not hasattr(request, "session"):  # an error before there was one
        return ""
    # With the database away, the page that says so still speaks the browser's language.
    with suppress(DatabaseError):
        return supported(getattr(get_user(request), "language", ""))
    return ""


def chosen(request: HttpRequest) -> str:
    """The visitor's own choice in this address, or ""."""
    match = _CHOICE.search(request.META.get("QUERY_STRING", ""))
    return supported(match[1].lower()) if match else ""


def prefer(request: HttpRequest, code: str) -> None:
    """Show a page about somebody in their language, unless the visitor has said otherwise."""
    if (known := supported(code)) and not account_language(request) and not chosen(request):
        _speak(request, known)


def follow_account(request: HttpRequest) -> None:
    """Show the page in its owner's language, where the owner is learned only after a language was chosen."""
    if known := account_language(request):
        _speak(request, known)


def with_choice(address: str, code: str) -> str:
    """The address, with the choice of language in its query."""
    parts = urlsplit(address)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*query, (PARAMETER, code)])))


@dataclass(frozen=True)
class Choice:
    """One language in the footer: its code, its own name, where the visitor goes to read in it."""

    code: str
    name: str
    address: str
    is_current: bool


def choices(request: HttpRequest, address: str) -> list[Choice]:
    """The languages this page can be read in, at `address`; none where a link would lose what was asked for."""
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
    """Return what its speakers call a language, as it stands at the beginning of a line."""
    name = str(translation.get_language_info(code)["name_local"])
    return name[:1].upper() + name[1:]


def _speak(request: HttpRequest, code: str) -> None:
    translation.activate(code)
    request.LANGUAGE_CODE = code


def _keep_through_redirect(request: HttpRequest, response: HttpResponse) -> None:
    address, code = response.headers.get("Location", ""), chosen(request)
    if code and address.startswith("/") and not address.startswith("//"):
        response.headers["Location"] = with_choice(address, code)
