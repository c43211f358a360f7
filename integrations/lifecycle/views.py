"""The owner's page for disconnecting a location: it asks once, and its button disconnects."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.pages import NOTICES, owner_page, show, to_page
from integrations.connections.brand import show_as
from integrations.connections.models import Connection
from integrations.status_sync.disconnect import NotConnectedError, disconnect

NOTICES.register("disconnected", _("The location is being disconnected."))


@require_http_methods(["GET", "POST"])
@owner_page
def disconnect_page(request: HttpRequest, owner: User, pk: int) -> HttpResponse:
    """Ask on GET, disconnect on POST. A connection of somebody else is a 404."""
    mine = Connection.objects.select_related("application", "location").filter(owner=owner)
    connection = get_object_or_404(mine, pk=pk)
    show_as(request, connection.application)
    problem: object = ""
    if request.method == "POST":
        try:
            disconnect(connection.pk, by=owner, why="The owner disconnected it.")
            return to_page("accounts:home", done="disconnected")
        except NotConnectedError:
            problem = _("This location is not connected any more.")
    context = {"connection": connection, "problem": problem}
    return show(
        request, owner, "accounts:home", "integrations/disconnect.html", context, status=409 if problem else 200
    )
