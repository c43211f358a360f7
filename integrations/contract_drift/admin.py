"""The admin page of differences from the contract."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from integrations.contract_drift.models import Drift
from partner_portal.core.admin_base import Lookups, ReadOnlyAdmin, confirm_action
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _

OPERATE = "contract_drift.change_drift"


class KnownFilter(admin.SimpleListFilter):
    """A filter by whether staff have marked a difference as known."""

    title = _("known")
    parameter_name = "known"

    def lookups(self, request: HttpRequest, model_admin: object) -> Lookups:
        return [("no", _("new")), ("yes", _("marked as known"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Drift]) -> QuerySet[Drift]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(known_at__isnull=self.value() == "no")


@admin.register(Drift)
class DriftAdmin(ReadOnlyAdmin):
    menu = Section.TODAY.at(4)
    list_display = ("subject", "kind", "path", "value", "count", "last_seen_at")
    list_filter = (KnownFilter, "kind")
    quick_filters = ((_("new"), "known=no"), (_("marked as known"), "known=yes"))
    ordering = ("-last_seen_at", "-pk")
    actions = ("mark_known", "mark_new")

    @confirm_action(
        _("Mark as known"),
        _("It is counted on, but no longer shown as new here, by the doctor and in the metrics."),
        permission=OPERATE,
    )
    def mark_known(self, _request: HttpRequest, chosen: QuerySet[Drift]) -> str:
        chosen.filter(known_at=None).update(known_at=timezone.now())
        return str(_("Marked as known."))

    @confirm_action(_("Mark as new"), _("It is shown as new again."), permission=OPERATE)
    def mark_new(self, _request: HttpRequest, chosen: QuerySet[Drift]) -> str:
        chosen.update(known_at=None)
        return str(_("Marked as new."))
