"""The views that show staff an owner's pages: they check permissions, choose the owner and log each look."""

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_replace
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.translation import override
from django.views.decorators.http import require_GET

from accounts.models import User
from integrations.backoffice.owner_view.rendering import (
    Look,
    PageNotShownError,
    draw_page,
    draw_status,
    page_title,
)
from integrations.connections.models import Connection
from partner_portal.core.admin_history import log_change
from partner_portal.core.english import english as _

PERMISSIONS = ("connections.view_connection", "connections.see_as_owner")
HOME, CASE = "accounts:home", "admin:connections_connection_change"
PAGE, STATUS = "connections_connection_as_owner", "connections_connection_as_owner_status"
LOOKED_AT = "Looked at the owner's page: %(page)s"

View = Callable[..., HttpResponse]


def urlpatterns(guarded: Callable[[View], View]) -> list[URLPattern]:
    """Return the URL patterns below the admin page of connections; `guarded` restricts a view to staff."""
    policed = csp_replace({"script-src": ["'none'"], "form-action": ["'none'"]})
    return [
        path("<int:pk>/as-owner/arrivals/<int:arrival_pk>/", policed(guarded(see_status)), name=STATUS),
        path("<int:pk>/as-owner/<path:page>", policed(guarded(see_page)), name=PAGE),
    ]


def entrance(connection: Connection, reader: User) -> tuple[str, str] | None:
    """Return the (URL, label) of the link on the connection's page; None if there is nothing the reader may see."""
    if not reader.has_perms(PERMISSIONS):
        return None
    if _owner_of(connection) is not None:
        return f"{_prefix(connection)}{_account()}", _("See what the owner sees")
    newest = connection.arrivals.order_by("-pk").first()
    if newest is None:
        return None
    return reverse(f"admin:{STATUS}", args=[connection.pk, newest.pk]), _("See the status page")


@require_GET
def see_page(request: HttpRequest, pk: int, page: str) -> HttpResponse:
    """Show one of the pages in the navigation of the connection's owner; redirect if there is no owner."""
    connection = _connection(request, pk)
    owner = _owner_of(connection)
    if owner is None:
        messages.error(request, _("Nobody holds this connection, so there is no owner's page to see."))
        return redirect(CASE, pk)
    look = Look(request, owner, f"{_prefix(connection)}/")
    title = page_title(f"/{page}")
    return _answer(look, connection, title, lambda banner: draw_page(look, f"/{page}", banner))


@require_GET
def see_status(request: HttpRequest, pk: int, arrival_pk: int) -> HttpResponse:
    """Show the status page of an arrival as the connection's owner sees it, or as a visitor who has not signed in."""
    connection = _connection(request, pk)
    arrival = get_object_or_404(connection.arrivals.select_related("application", "user"), pk=arrival_pk)
    owner = _owner_of(connection)
    look = Look(request, owner if owner == arrival.user else None, f"{_prefix(connection)}/")
    return _answer(look, connection, _("Status page"), lambda banner: draw_status(look, arrival, banner))


def _answer(look: Look, connection: Connection, title: str, draw: Callable[[str], str]) -> HttpResponse:
    """Render the page, log who looked at it, and respond with it. Raises Http404 for a page that is not shown."""
    try:
        page = draw(_banner(look, connection))
    except PageNotShownError as error:
        raise Http404 from error
    log_change(look.request, connection, LOOKED_AT % {"page": title})
    return HttpResponse(page)


def _banner(look: Look, connection: Connection) -> str:
    context: dict[str, Any] = {
        "connection": connection,
        "owner": look.owner,
        "case": reverse(CASE, args=[connection.pk]),
        "account": f"{_prefix(connection)}{_account()}" if look.owner else "",
        "arrivals": connection.arrivals.order_by("-pk")[:3],
    }
    with override("en"):
        return render_to_string("admin/connections/connection/owner_view_banner.html", context)


def _connection(request: HttpRequest, pk: int) -> Connection:
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    return get_object_or_404(Connection.objects.select_related("application", "location", "owner"), pk=pk)


def _owner_of(connection: Connection) -> User | None:
    """Return the connection's owner, unless the account was erased or belongs to staff; a claimant does not count."""
    owner = connection.owner
    return owner if owner is not None and owner.is_active and not owner.is_staff else None


def _prefix(connection: Connection) -> str:
    """Return the URL below which the owner's own URLs are shown, without a trailing slash."""
    return f"{reverse(CASE, args=[connection.pk]).removesuffix('change/')}as-owner"


def _account() -> str:
    return reverse(HOME)
