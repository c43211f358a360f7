"""The owner's pages: who may see them, the navigation, and how they are rendered.

They also work without a cookie, so nothing here depends on the session: a notice in the address says what happened,
and every address is made by `reverse`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.sessions import SessionRevokedError, as_let_in
from partner_portal.core.extension_points import ExtensionPoint

_SAFE = ("GET", "HEAD", "OPTIONS")

OwnerView = Callable[..., HttpResponse]


@dataclass(frozen=True)
class OwnerPage:
    """An entry of the navigation."""

    url_name: str
    label: Promise
    shown: Callable[[User], bool]


@dataclass(frozen=True)
class NavigationLink:
    """An entry of the navigation as a page shows it."""

    url: str
    label: Promise
    is_current: bool


OWNER_PAGES = ExtensionPoint[OwnerPage]("owner pages", "Entries in the navigation of the owner's pages.")
NOTICES = ExtensionPoint[Promise]("notices", "What an owner's page says after a change, by the code in its address.")


def register_page(order: int, url_name: str, label: Promise, shown: Callable[[User], bool] = lambda _: True) -> None:
    """Put a page into the navigation, lower `order` first, for the owners for whom `shown` is true."""
    OWNER_PAGES.register(url_name, OwnerPage(url_name, label, shown), rank=order)


def notice_of(request: HttpRequest) -> Promise | str:
    """Return the notice that this page shows first, by the code in its address; "" for none."""
    return NOTICES.get(request.GET.get("done", "")) or ""


def owner_page(view: OwnerView) -> OwnerView:
    """Make `view(request, owner, …)` a page of the signed-in owner, never cached. Staff are redirected to the admin.

    A request that changes anything locks the account: one that is under way when the owner takes the account back, or
    leaves, overwrites nothing of that and keeps no session.
    """

    @never_cache
    @login_required
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        owner = request.user
        if not isinstance(owner, User) or owner.is_staff:
            return redirect("admin:index")
        if request.method in _SAFE:
            return view(request, owner, *args, **kwargs)
        try:
            with as_let_in(owner) as held:
                return view(request, held, *args, **kwargs)
        except SessionRevokedError:
            return redirect("accounts:sign-in")

    return wrapper


def show(
    request: HttpRequest, owner: User, here: str, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render a page; `here` is the name of its entry in the navigation."""
    links = [
        NavigationLink(reverse(page.url_name), page.label, page.url_name == here)
        for page in OWNER_PAGES
        if page.shown(owner)
    ]
    shown = {"owner": owner, "links": links, "notice": notice_of(request), **context}
    return render(request, template, shown, status=status)


def wait_in_words(seconds: int) -> str:
    """Return the wait as a sentence in minutes, rounded up."""
    minutes = math.ceil(seconds / 60)
    text = ngettext(
        "Please wait %(count)s minute and try again.", "Please wait %(count)s minutes and try again.", minutes
    )
    return text % {"count": minutes}


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """Return a page that tells the caller to wait (429), with the seconds in `Retry-After`."""
    response = render(request, "accounts/too_many.html", {"advice": wait_in_words(wait)}, status=429)
    response["Retry-After"] = str(wait)
    return response


def to_page(url_name: str, *args: Any, done: str = "", **query: str) -> HttpResponseRedirect:
    """Redirect after a change; the page then shows the notice `done` (a code of `NOTICES`)."""
    query |= {"done": done} if done else {}
    url = reverse(url_name, args=args)
    return HttpResponseRedirect(f"{url}?{urlencode(query)}" if query else url)
