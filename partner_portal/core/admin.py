"""The admin's lists of dead letters, which staff may try again, and of exports by staff."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from partner_portal.core.admin_base import Lookups, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_cells import moment_of, word
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.models import FailedItem, ListExport
from partner_portal.core.queues import queue_named

OPERATE = "core.change_faileditem"


class GivenUpFilter(admin.SimpleListFilter):
    """A filter for items that the portal no longer tries by itself."""

    title = _("state")
    parameter_name = "dead"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("given up")), ("no", _("will be tried again"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(dead_at__isnull=self.value() == "no")


@admin.register(FailedItem)
class FailedItemAdmin(ReadOnlyAdmin):
    menu = Section.TODAY.at(2)
    list_display = ("failed_at", "what", "item_number", "failures", "error", "next_try")
    list_filter = (GivenUpFilter,)
    quick_filters = ((_("given up"), "dead=yes"), (_("will be tried again"), "dead=no"))
    ordering = ("-pk",)
    actions = ("again",)
    readonly_fields = ("what", "item_link")
    fields = (
        "what",
        "item_link",
        "error",
        ("failures", "first_failed_at", "failed_at"),
        ("due_at", "dead_at"),
    )

    @admin.display(description=_("queue"))
    def what(self, failed: FailedItem) -> str:
        return queue_named(failed.queue).title

    @admin.display(description=_("next try"))
    def next_try(self, failed: FailedItem) -> SafeString | str:
        return moment_of(failed.due_at) if failed.dead_at is None else word("dead", _("given up"))

    @admin.display(description=_("item"))
    def item_number(self, failed: FailedItem) -> SafeString | str:
        """Return a link to the row that failed, without a query for it."""
        model = queue_named(failed.queue).model
        if model is None or not admin.site.is_registered(model):
            return f"#{failed.item}"
        return link_to(model(pk=failed.item), f"#{failed.item}")

    @admin.display(description=_("item"))
    def item_link(self, failed: FailedItem) -> SafeString | str:
        """Return a link to the row that failed, or its number where no such row or page exists."""
        model = queue_named(failed.queue).model
        if model is None or not admin.site.is_registered(model):
            return f"#{failed.item}"
        row = model._base_manager.filter(pk=failed.item).first()
        return link_to(row) if row else f"#{failed.item}"

    @confirm_action(
        _("Try again"),
        _("The chosen items are handled once more, with all their tries. Do this once the cause is mended."),
        permission=OPERATE,
    )
    def again(self, _request: HttpRequest, chosen: QuerySet[FailedItem]) -> str:
        tried = [queue_named(failed.queue).try_again([failed.item]) for failed in chosen]
        if all(tried):
            return str(_("On its way again."))
        return str(_("Of {all}, {some} are on their way again.")).format(all=len(tried), some=sum(tried))


@admin.register(ListExport)
class ListExportAdmin(ReadOnlyAdmin):
    """The list of who exported which rows from the portal."""

    menu = Section.EVIDENCE.at(8)
    list_display = ("started_at", "user", "list_name", "rows", "outcome_word", "filters", "is_searched")
    list_select_related = ("user",)
    search_fields = ("user__email__istartswith",)
    search_help_text = _("The beginning of an address")
    ordering = ("-pk",)
    fields = (
        ("user", "list_name"),
        ("filters", "is_searched"),
        ("rows", "outcome_word"),
        ("started_at", "moved_at", "ended_at"),
    )
    readonly_fields = ("rows", "outcome_word")

    @admin.display(description=_("rows handed out"))
    def rows(self, export: ListExport) -> str:
        return _("{handed_out:,} of {total:,}").format(handed_out=export.handed_out, total=export.total)

    @admin.display(description=_("state"))
    def outcome_word(self, export: ListExport) -> SafeString:
        return word(export.outcome, export.outcome.label)
