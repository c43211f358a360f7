"""Rendering of an owner's page for a member of staff, by the owner's own view.

The view gets a separate GET request on behalf of the owner, without cookies or a session. So there is no sign-in that
could be kept, and whatever the view sets on its request or response is discarded. Every URL on the page begins with
`prefix`, as in Altegio's frame; a link to a page that is not shown here is removed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, get_script_prefix, resolve, reverse, set_script_prefix
from django.utils import translation

from accounts.models import User
from accounts.pages import OWNER_PAGES, OwnerPage
from integrations.backoffice.owner_view.inert import make_inert
from integrations.connect.tokens import status_token
from integrations.connections.models import Arrival
from partner_portal.core.languages import chosen, supported

STATUS = "connect:status"
_FROM_THE_SERVER = ("SERVER_NAME", "SERVER_PORT", "HTTP_HOST", "QUERY_STRING", "REMOTE_ADDR", "wsgi.url_scheme")


class PageNotShownError(Exception):
    """Raised for a page that staff may not look at."""


@dataclass(frozen=True)
class Look:
    """A look at an owner's page: the request of staff, the owner, and the URL prefix of the owner's pages for staff.

    `owner` is None for a visitor whom the portal does not know.
    """

    request: HttpRequest
    owner: User | None
    prefix: str


def page_title(path: str) -> str:
    """Return the page's English title in the owner's navigation; "" for a page that is not shown here."""
    page = _shown(_match(path))
    with translation.override("en"):
        return str(page.label) if page else ""


def draw_page(look: Look, path: str, banner: str) -> str:
    """Return the owner's page at `path` ("/account/…"), made inert. Raises PageNotShownError."""
    match = _match(path)
    if look.owner is None or match is None or _shown(match) is None:
        raise PageNotShownError
    return _draw(look, match, path, banner)


def draw_status(look: Look, arrival: Arrival, banner: str) -> str:
    """Return the status page of an arrival, made inert. Raises PageNotShownError."""
    path = reverse(STATUS, args=[status_token(arrival)])
    if (match := _match(path)) is None:
        raise PageNotShownError
    return _draw(look, match, path, banner)


def _match(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


def _shown(match: ResolverMatch | None) -> OwnerPage | None:
    """Return the page of the owner's navigation that this URL leads to; None for any other page."""
    return next((page for page in OWNER_PAGES if match and page.url_name == match.view_name), None)


def _draw(look: Look, match: ResolverMatch, path: str, banner: str) -> str:
    visit = _visit(look, path)
    with translation.override(_language(look)), _addresses_below(look.prefix):
        answer: HttpResponseBase = match.func(visit, *match.args, **match.kwargs)
        page = getattr(answer, "content", b"").decode()
    if answer.status_code != 200:  # as with a redirect, when the page is not this person's
        raise PageNotShownError
    return make_inert(page, banner, keeps=lambda href: _stays(look, href))


def _visit(look: Look, path: str) -> HttpRequest:
    visit = HttpRequest()
    visit.method = "GET"
    visit.path, visit.path_info = f"{look.prefix.rstrip('/')}{path}", path
    visit.META = {name: look.request.META[name] for name in _FROM_THE_SERVER if name in look.request.META}
    visit.GET = look.request.GET
    visit.user = look.owner or AnonymousUser()
    return visit


def _language(look: Look) -> str:
    """Return the language chosen in the page's footer, else the owner's, else English."""
    return chosen(look.request) or supported(look.owner.language if look.owner else "") or "en"


@contextmanager
def _addresses_below(prefix: str) -> Iterator[None]:
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        yield
    finally:
        set_script_prefix(before)


def _stays(look: Look, href: str) -> bool:
    """Return whether a link leads to a page that is shown here, so that it is kept."""
    if href.startswith(("?", "#")):
        return True
    path = urlsplit(href).path
    if not path.startswith(look.prefix) or look.owner is None:
        return False
    return _shown(_match(path.removeprefix(look.prefix.rstrip("/")))) is not None
