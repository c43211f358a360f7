"""Admin screens of subscriptions: what live connections are paid for, and what is due."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.models import Payment, Subscription
from billing.subscriptions import current, overdue, recent_counts, soon
from integrations.connections.models import LIVE
from partner_portal.core.admin_base import Lookups, ReadOnlyAdmin, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _


class DueFilter(admin.SimpleListFilter):
    """A filter by when the next payment is due."""

    title = _("payment")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [
            ("yes", _("needs one")),
            ("soon", _("ends soon")),
            ("overdue", _("overdue")),
            ("current", _("paid or in trial")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"yes": soon() | overdue(), "soon": soon(), "overdue": overdue(), "current": current()}
        chosen = wanted.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    menu = Section.MONEY.at(2)
    change_list_template = "admin/billing/subscription_list.html"
    list_display = ("location", "application", "state", "trial_ends_at", "paid_until", "next_payment_at", "owner")
    list_filter = (DueFilter, "state", "application")
    search_fields = ("=location__altegio_id", "location__title__istartswith", "owner__email__istartswith")
    list_select_related = ("application", "location", "owner")
    fields = readonly_fields = (
        "connection_link",
        "state",
        "trial_ends_at",
        "paid_until",
        "next_payment_at",
        "payments_list",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        live = super().get_queryset(request).filter(state__in=LIVE)
        return live.order_by(F("next_payment_at").asc(nulls_last=True), "pk")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "bars": _bars()})

    @admin.display(description=_("connection"))
    def connection_link(self, subscription: Subscription) -> SafeString | str:
        address = reverse("admin:connections_connection_change", args=[subscription.pk])
        return format_html('<a href="{}">{}</a>', address, subscription)

    @admin.display(description=_("payments"))
    def payments_list(self, subscription: Subscription) -> SafeString | str:
        payments = Payment.objects.filter(
            application=subscription.application_id, location=subscription.location_id
        ).order_by("-period_to")[:50]
        rows = ((link_to(each), each.get_status_display(), f"{each.period_to:%Y-%m-%d}") for each in payments)
        return format_html_join("", "<div>{} — {} ({})</div>", rows) or "–"


def _bars() -> list[dict[str, Any]]:
    """Return the chart's bars: each group of connections, with its share of the longest bar in percent."""
    counted = recent_counts()
    groups = [
        (_("paid"), counted.paid, "paid"),
        (_("in trial"), counted.trial, "trial"),
        (_("ending soon"), counted.expiring, "expiring"),
        (_("overdue"), counted.overdue, "overdue"),
        (_("frozen"), counted.frozen, "frozen"),
    ]
    most = max(count for _label, count, _kind in groups) or 1
    return [
        {"label": label, "count": count, "kind": kind, "share": round(100 * count / most)}
        for label, count, kind in groups
    ]
