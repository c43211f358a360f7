"""Admin screens of reconciliations: the reports, and what needs a person."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.activation.adoption import ask_to_adopt
from integrations.reconciliation.models import Finding, Reconciliation
from partner_portal.core.admin_base import ActionRefusedError, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    menu = Section.EVIDENCE.at(4)
    list_display = (
        *("started_at", "trigger", "state", "expected", "listed"),
        *("differences", "for_people", "calls", "finished_at"),
    )
    list_filter = ("state", "trigger")
    ordering = ("-pk",)
    readonly_fields = ("differences", "for_people")
    fields = (
        ("trigger", "state"),
        ("started_at", "finished_at"),
        ("expected", "listed", "calls"),
        ("differences", "for_people"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reconciliation]:
        people = Count("findings", filter=Q(findings__needs_person=True))
        runs: QuerySet[Reconciliation] = super().get_queryset(request)
        return runs.annotate(found=Count("findings"), people=people)

    @admin.display(description=_("differences"))
    def differences(self, run: Reconciliation) -> SafeString:
        return self._link(run, getattr(run, "found", 0), "")

    @admin.display(description=_("need a person"))
    def for_people(self, run: Reconciliation) -> SafeString:
        return self._link(run, getattr(run, "people", 0), "&needs_person__exact=1")

    @staticmethod
    def _link(run: Reconciliation, count: int, more: str) -> SafeString:
        address = reverse("admin:reconciliation_finding_changelist") + f"?run__id__exact={run.pk}{more}"
        return format_html('<a href="{}">{}</a>', address, count)


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    menu = Section.TODAY.at(3)
    list_display = ("kind", "place", "application", "before", "after", "needs_person", "connection_link")
    list_filter = ("needs_person", "kind", "application")
    search_fields = ("=salon_id",)
    list_select_related = ("application", "run", "connection__application", "connection__location")
    ordering = ("-pk",)
    linked_lookups = ("run__id__exact",)
    actions = ("adopt",)

    @confirm_action(
        _("Take over"),
        _(
            "Altegio is asked about each location; one that is connected there becomes a connection here, nobody's "
            "until its owner comes. No activation is sent, and no trial begins anew."
        ),
        permission="connections.change_connection",
    )
    def adopt(self, _request: HttpRequest, chosen: QuerySet[Finding]) -> str:
        finding = chosen.select_related("application").get()
        if not self.is_offered("adopt", finding):
            raise ActionRefusedError(_("This is no location that is unknown here."))
        ask_to_adopt(finding.application, cast("int", finding.salon_id))
        return str(_("Altegio is asked; what comes of it shows here in a moment."))

    def is_offered(self, action: str, row: Any) -> bool:
        return action != "adopt" or (row.kind == Finding.Kind.UNKNOWN and row.connection_id is None)

    @admin.display(description=_("location"), ordering="salon_id")
    def place(self, finding: Finding) -> str:
        return str(finding.salon_id or "–")

    @admin.display(description=_("connection"))
    def connection_link(self, finding: Finding) -> SafeString | str:
        return link_to(finding.connection)
