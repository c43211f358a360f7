"""Arrivals in the control room."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.finding import people_found
from integrations.connect.models import Arrival, ArrivalLocation, RefusedArrival
from integrations.locations.finding import altegio_id
from partner_portal.control_room import EvidenceAdmin, Lookups, link_to
from partner_portal.periods import PeriodFilter

MOST_SHOWN = 200


def arrivals_for(location: int) -> list[int]:
    """The latest arrivals that led to a connection at this location (Altegio's id)."""
    found = ArrivalLocation.objects.filter(connection__location__altegio_id=location).order_by("-arrival_id")
    return list(found.values_list("arrival_id", flat=True)[:MOST_SHOWN])


class RegisteredFilter(admin.SimpleListFilter):
    """Whether the person is known."""

    title = _("registered")
    parameter_name = "registered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("yes")), ("waits", _("must sign in once")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.exclude(user=None)
            case "waits":
                return queryset.exclude(expected_user=None)
            case "no":
                return queryset.filter(user=None, expected_user=None)
        return queryset


class ArrivedFilter(PeriodFilter):
    column = "arrived_at"


@admin.register(Arrival)
class ArrivalAdmin(EvidenceAdmin):
    list_display = ("arrived_at", "application", "user_link", "locations_count", "deadline_at", "visits")
    list_filter = (ArrivedFilter, "application", RegisteredFilter)
    search_fields = ("user__email", "connections__location__altegio_id")
    search_help_text = _("A location's number, or the beginning of a person's address, name or phone number")
    everyday = (
        (_("today"), "when=today"),
        (_("not registered, today"), "registered=no&when=today"),
        (_("must sign in once"), "registered=waits"),
    )
    list_select_related = ("application", "user", "expected_user")
    ordering = ("-arrived_at", "-pk")
    readonly_fields = ("user_link", "connections_list", "locations_count")
    fields = (
        ("arrived_at", "last_seen_at", "visits", "deadline_at"),
        "application",
        "user_link",
        ("altegio_user_id", "salon_name", "chain_id_given", "signed_up"),
        "locations_count",
        "connections_list",
        "request_id",
    )

    def matching(self, term: str) -> Q:
        number = altegio_id(term)
        if number is not None:
            return Q(pk__in=arrivals_for(number))
        people = people_found(term)
        return Q(user__in=people) | Q(expected_user__in=people)

    @admin.display(description=_("user"))
    def user_link(self, arrival: Arrival) -> SafeString | str:
        return link_to(arrival.user or arrival.expected_user)

    @admin.display(description=_("number of locations"))
    def locations_count(self, arrival: Arrival) -> int:
        return len(arrival.salon_ids)

    @admin.display(description=_("connections"))
    def connections_list(self, arrival: Arrival) -> SafeString:
        shown = arrival.connections.select_related("application", "location").order_by("pk")[:MOST_SHOWN]
        return format_html_join("", "<div>{}: {}</div>", ((link_to(row), row.get_state_display()) for row in shown))


@admin.register(RefusedArrival)
class RefusedArrivalAdmin(EvidenceAdmin):
    list_display = ("at", "application", "reason")
    list_filter = ("application",)
    ordering = ("-pk",)
