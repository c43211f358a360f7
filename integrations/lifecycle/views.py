"""The owner's disconnect: a page that asks once, and the button behind it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import User
from integrations.lifecycle.disconnect import NotConnected, disconnect
from integrations.models.connection import Connection


@login_required
@require_http_methods(["GET", "POST"])
def disconnect_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask on GET, disconnect on POST. A connection of somebody else is not found."""
    owner = request.user
    mine = Connection.objects.select_related("application", "location").filter(owner=owner.pk)
    connection = get_object_or_404(mine, pk=pk)
    problem = ""
    if request.method == "POST" and isinstance(owner, User):
        try:
            disconnect(connection.pk, by=owner, why="The owner disconnected it.")
            return redirect("accounts:home")
        except NotConnected as reason:
            problem = str(reason)
    context = {"connection": connection, "problem": problem}
    return render(request, "integrations/disconnect.html", context, status=409 if problem else 200)
