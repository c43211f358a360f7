"""The owner's pages inside Altegio's iframe, where the browser sends no cookie (docs/altegio.md §1).

`/connect/as/<token>/account/` is `/account/` for the owner of the frame token. The token becomes a prefix of every
address that the page makes, so no page is written twice. It also replaces the cookie as a protection against forged
requests: nobody else can know the address, and the browser must say that the form was ours.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, get_script_prefix, resolve, set_script_prefix

from accounts.brands import brand_for
from accounts.frame_tokens import make_frame_token, owner_of_frame_token
from accounts.models import User
from partner_portal.core.framing import framed
from partner_portal.core.languages import follow_account, prefer

_ADDRESS = re.compile(r"/connect/as/(?P<token>[^/]+)(?P<page>/(?!/).*)")
_SAFE = ("GET", "HEAD", "OPTIONS")

# URL names of the pages that work in the frame. All else asks for a sign-in, in a tab of its own: somebody at a
# computer where Altegio is open must not be able to take an account over, or erase it.
IN_FRAME = frozenset(
    {
        "connect:status",
        "accounts:home",
        "accounts:language",
        "accounts:me",
        "billing:payment-link",
        "billing:payments",
        "billing:subscriptions",
        "handover:open",
        "lifecycle:disconnect",
        "sender_names:ask",
        "sender_names:list",
        "telephony:again",
        "telephony:list",
    }
)


# Pages that lead out of the frame into a tab of their own, when a form of a page in it is posted to them.
OPENS_TAB = frozenset({"handover:open"})


def as_owner(user: User, page: str) -> str:
    """Return the address of `page` for this owner inside the frame."""
    return f"/connect/as/{make_frame_token(user)}{page}"


def posted_from_our_page(request: HttpRequest) -> bool:
    """Return whether the browser says that the form came from our page."""
    origin = urlsplit(request.headers.get("Origin") or request.headers.get("Referer", ""))
    return bool(origin.netloc) and origin.netloc == request.get_host()


def owner_frame(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer an address with a frame token as its owner (middleware); it comes last of all, around the view."""

    @framed
    def answer(request: HttpRequest, token: str, page: str) -> HttpResponseBase:
        name = _name_of(page)
        may_be_framed = name in IN_FRAME
        leads_out = name in OPENS_TAB and request.method == "POST" and posted_from_our_page(request)
        if request.headers.get("Sec-Fetch-Dest") == "document" and not leads_out:
            return HttpResponseRedirect(page)  # the address was taken out of the frame, where it opens nothing
        owner = owner_of_frame_token(token)
        if owner is None:
            return render(request, "accounts/frame_token_expired.html", status=410)
        if not may_be_framed:
            prefer(request, owner.language)
            return _outside(request, owner, page)
        if request.method not in _SAFE and not posted_from_our_page(request):
            return HttpResponse(status=403)
        return _as(request, owner, f"/connect/as/{token}/", page)

    def _as(request: HttpRequest, owner: User, prefix: str, page: str) -> HttpResponseBase:
        request.user, request.path_info = owner, page
        request.in_frame = True  # type: ignore[attr-defined]
        follow_account(request)
        request.csrf_processing_done = True  # type: ignore[attr-defined]
        before = get_script_prefix()
        set_script_prefix(prefix)
        try:
            return get_response(request)
        finally:
            set_script_prefix(before)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        found = _ADDRESS.fullmatch(request.path_info)
        return answer(request, found["token"], found["page"]) if found else get_response(request)

    return middleware


def _name_of(page: str) -> str:
    try:
        return resolve(page).view_name
    except Resolver404 as missing:
        raise Http404 from missing


def _outside(request: HttpRequest, owner: User, page: str) -> HttpResponse:
    # A posted form is not carried over: it is posted again outside, after the sign-in.
    address = page if request.method in _SAFE else "/account/"
    return render(request, "accounts/outside_frame.html", {"address": address, "brand": brand_for(owner)})
