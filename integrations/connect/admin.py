"""Admin pages for arrivals and refused arrivals."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from integrations.connections.models import Arrival, RefusedArrival
from partner_portal.core.admin_base import Lookups, ReadOnlyAdmin, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.number_lists import holds_number
from partner_portal.core.periods import PeriodFilter
from partner_portal.core.search import number_in

MAX_SHOWN = 200
NOBODY_EXPECTED = {"expected_user": None, "expected_address_hash": ""}


class RegisteredFilter(admin.SimpleListFilter):
    """A filter on whether the arrival's person is known."""

    title = _("registered")
    parameter_name = "registered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("yes")), ("waits", _("must sign in once")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.exclude(user=None)
            case "waits":
                return queryset.exclude(**NOBODY_EXPECTED)
            case "no":
                return queryset.filter(user=None, **NOBODY_EXPECTED)
        return queryset


class ArrivedFilter(PeriodFilter):
    column = "arrived_at"


@admin.register(Arrival)
class ArrivalAdmin(ReadOnlyAdmin):
    menu = Section.CONNECTIONS.at(4)
    list_display = ("arrived_at", "application", "user_link", "locations_count", "deadline_at", "visits")
    list_filter = (ArrivedFilter, "application", RegisteredFilter)
    search_fields = (
        "=connections__location__altegio_id",
        "=altegio_user_id",
        "=user__identities__altegio_user_id",
        "user__email__istartswith",
        "expected_user__email__istartswith",
    )
    search_help_text = _("A location's or an Altegio user's number, or the beginning of an e-mail address")
    quick_filters = (
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

    @admin.display(description=_("user"))
    def user_link(self, arrival: Arrival) -> SafeString | str:
        return link_to(arrival.user or arrival.expected_user)

    @admin.display(description=_("number of locations"))
    def locations_count(self, arrival: Arrival) -> int:
        return len(arrival.salon_ids)

    @admin.display(description=_("connections"))
    def connections_list(self, arrival: Arrival) -> SafeString:
        shown = arrival.connections.select_related("application", "location").order_by("pk")[:MAX_SHOWN]
        return format_html_join("", "<div>{}: {}</div>", ((link_to(row), row.get_state_display()) for row in shown))


@admin.register(RefusedArrival)
class RefusedArrivalAdmin(ReadOnlyAdmin):
    menu = Section.CONNECTIONS.at(5)
    list_display = ("at", "application", "reason", "locations")
    list_filter = ("application",)
    list_select_related = ("application",)
    fields = ("at", "application", "reason", "locations")
    readonly_fields = ("locations",)
    # The numbers are stored in a list, so the search needs `matching` below.
    search_fields = ("salon_ids",)
    search_help_text = _("A location's number")

    def matching(self, term: str) -> Q:
        number = number_in(term)
        return Q(pk__in=()) if number is None else holds_number("salon_ids", number)

    @admin.display(description=_("locations"))
    def locations(self, refused: RefusedArrival) -> str:
        return ", ".join(f"#{number}" for number in refused.salon_ids) or "–"

    ordering = ("-pk",)
