"""The owner's pages of sender names: the names that their locations have, and a form to ask for another."""

from datetime import timedelta
from typing import Any

from django.core.paginator import Page
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.listing import page_of, place_in, searched
from accounts.models import User
from accounts.pages import NOTICES, owner_page, register_page, show, to_page
from integrations.connections.models import Application, Connection, SyncState
from integrations.locations.search import matching
from integrations.sender_names.models import IN_FORCE, NameState, SenderName, SenderNameList
from integrations.sender_names.names import InvalidSenderNamesError, ask_for_name, names_of

HERE = "sender_names:list"
# How long a refused request is shown to the owner.
REFUSALS_SHOWN = timedelta(days=30)

WORDS = {
    NameState.ASKED: _("asked for: we look at it"),
    NameState.GRANTED: _("in use"),
    NameState.BOUGHT: _("in use"),
    NameState.REFUSED: _("refused"),
}
SYNC_WORDS = {
    SyncState.QUEUED: _("Altegio is being told."),
    SyncState.FAILED: _("Altegio has not taken the list. Our staff look into it."),
}


def own_connections(owner: User) -> QuerySet[Connection]:
    """Return the live SMS connections of this owner, except those that await a review by staff."""
    return (
        Connection.objects.live()
        .shown_to_owner()
        .filter(owner=owner, application__kind=Application.Kind.SMS)
        .select_related("application", "location")
        .order_by("location__altegio_id", "pk")
    )


register_page(40, HERE, _("Sender names"), lambda owner: own_connections(owner).exists())
NOTICES.register("name-asked", _("We have your request and will look at it."))


@require_GET
@owner_page
def names(request: HttpRequest, owner: User) -> HttpResponse:
    """Show the sender names of each of the owner's locations, in a constant number of queries."""
    return _show(request, owner)


@require_http_methods(["GET", "POST"])
@owner_page
def ask(request: HttpRequest, owner: User, connection_id: int) -> HttpResponse:
    """Record the owner's request for a name, on which staff decide; redirect a GET to the list.

    Respond 404 for a connection that is not the owner's, and 400 with the reason for an invalid name.
    """
    if request.method == "GET":
        return to_page(HERE, **place_in(request))
    connection = get_object_or_404(own_connections(owner), pk=connection_id)
    try:
        ask_for_name(names_of(connection), request.POST.get("name", "").strip())
    except InvalidSenderNamesError as bad:
        return _show(request, owner, connection, str(bad))
    return to_page(HERE, done="name-asked", **place_in(request))


def _show(request: HttpRequest, owner: User, wrong: Connection | None = None, problem: str = "") -> HttpResponse:
    search = searched(request)
    page = page_of(request, own_connections(owner).filter(matching(search)))
    context = {
        "page": page,
        "rows": _rows(page, wrong, problem, request.POST.get("name", "")),
        "search": search,
        "is_searched": bool(search) or page.paginator.num_pages > 1,
    }
    return show(request, owner, HERE, "integrations/sender_names.html", context, 400 if problem else 200)


def _rows(page: "Page[Connection]", wrong: Connection | None, problem: str, typed: str) -> list[dict[str, Any]]:
    refused = Q(state=NameState.REFUSED, changed_at__gt=timezone.now() - REFUSALS_SHOWN)
    shown = SenderName.objects.filter(Q(state__in=(NameState.ASKED, *IN_FORCE)) | refused)
    lists = (
        SenderNameList.objects.filter(installation__location__in=[connection.location_id for connection in page])
        .select_related("installation")
        .prefetch_related(Prefetch("names", shown, to_attr="shown"))
    )
    by_place = {(each.installation.application_id, each.installation.location_id): each for each in lists}
    return [
        _row(connection, by_place.get((connection.application_id, connection.location_id)))
        | ({"problem": problem, "typed": typed} if connection == wrong else {})
        for connection in page
    ]


def _row(connection: Connection, names: SenderNameList | None) -> dict[str, Any]:
    shown: list[SenderName] = getattr(names, "shown", [])
    return {
        "connection": connection,
        "names": [
            {"name": each.name, "words": WORDS[NameState(each.state)], "valid_until": each.valid_until}
            for each in shown
        ],
        "sync": SYNC_WORDS.get(SyncState(names.sync_state), "") if names and shown else "",
    }
