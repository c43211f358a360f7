"""The admin page of connections' state changes: what happened, when, why and by whom."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.backoffice.dashboard.connection_events import CHANGES, ConnectionEvent
from integrations.connections.models import ConnectionChange
from partner_portal.core.admin_base import Lookups, ReadOnlyAdmin, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.periods import PeriodFilter


class ConnectionEventFilter(admin.SimpleListFilter):
    """A filter by the connection events of the first page."""

    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return list(ConnectionEvent.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return (
            queryset.filter(CHANGES[ConnectionEvent(event)].q)
            if (event := self.value()) in ConnectionEvent.values
            else queryset
        )


class ChangedFilter(PeriodFilter):
    column = "at"


@admin.register(ConnectionChange)
class ConnectionChangeAdmin(ReadOnlyAdmin):
    menu = Section.EVIDENCE.at(3)
    list_display = ("at", "connection_link", "from_state", "to_state", "why", "by")
    list_filter = (ConnectionEventFilter, ChangedFilter, "connection__application")
    list_select_related = ("connection__application", "connection__location", "by")
    ordering = ("-at", "-pk")
    quick_filters = (
        (_("failed today"), "event=failed&when=today"),
        (_("expired today"), "event=expired&when=today"),
        (_("activated today"), "event=activated&when=today"),
        (_("frozen since yesterday"), "event=frozen&when=24h"),
        (_("uninstalled since yesterday"), "event=uninstalled&when=24h"),
    )

    @admin.display(description=_("connection"))
    def connection_link(self, change: ConnectionChange) -> SafeString | str:
        return link_to(change.connection)
