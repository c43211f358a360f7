"""The timeline's page in the control room."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from integrations.models.connection import Connection
from integrations.timeline.entries import Entry, timeline
from partner_portal.control_room import link_to


def timeline_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that happened to a connection, newest first."""
    if not request.user.has_perm("integrations.view_connection"):
        raise PermissionDenied
    connection = get_object_or_404(Connection.objects.select_related("application", "location", "owner"), pk=pk)
    context = {
        **admin.site.each_context(request),
        "title": _("Timeline of %(connection)s") % {"connection": connection},
        "connection": connection,
        "opts": Connection._meta,
        "entries": [(entry, _link(entry)) for entry in reversed(timeline(connection))],
    }
    return TemplateResponse(request, "admin/integrations/timeline.html", context)


def _link(entry: Entry) -> str:
    return "" if entry.row is None else link_to(entry.row, _("look"))
