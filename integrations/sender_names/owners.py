"""The owner's side: which sender names their locations have, and asking for one more."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.sections import register_section
from integrations.models.application import Application
from integrations.models.connection import LIVE, Connection
from integrations.sender_names.models import IN_FORCE, NameState, SenderName, SenderNameList
from integrations.sender_names.names import BadNames, ask_for_name, names_of

MOST_SHOWN = 50


def own_connections(user: User) -> QuerySet[Connection]:
    """The connections whose sender names this owner may see: not those that staff must look at first."""
    return Connection.objects.filter(
        owner=user, state__in=LIVE, application__kind=Application.Kind.SMS, review=""
    ).select_related("application", "location")


def section(user: User) -> dict[str, Any]:
    """What the part about sender names shows, in a constant number of queries."""
    connections = list(own_connections(user).order_by("location__altegio_id")[:MOST_SHOWN])
    shown = SenderName.objects.filter(state__in=(NameState.ASKED, *IN_FORCE))
    lists = SenderNameList.objects.filter(
        location__in=[connection.location_id for connection in connections]
    ).prefetch_related(Prefetch("names", shown, to_attr="shown"))
    by_place = {(names.application_id, names.location_id): names for names in lists}
    return {
        "rows": [
            {"connection": row, "names": by_place.get((row.application_id, row.location_id))} for row in connections
        ]
    }


register_section("integrations/section_sender_names.html", section)


@login_required
@require_POST
def ask(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The owner asks for a name; staff decide."""
    connection = get_object_or_404(own_connections(cast(User, request.user)), pk=connection_id)
    try:
        ask_for_name(names_of(connection), request.POST.get("name", "").strip())
        messages.success(request, _("We have your wish and will look at it."))
    except BadNames as bad:
        messages.error(request, str(bad))
    return redirect("accounts:home")
