"""CSV exports of every list in the admin: a page that describes the file, the download and its progress."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, IGNORED_PARAMS, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import slugify
from django_stubs_ext import StrOrPromise

from partner_portal.core.admin_history import log_change
from partner_portal.core.english import english as _
from partner_portal.core.list_columns import ListColumns
from partner_portal.core.list_exports import TooManyExportsError, Values, stream
from partner_portal.core.models import ListExport

EXPORT = "core.add_listexport"
BUSY = _("Others are downloading already, as many as there may be at once. Try again when one of them is through.")
TOO_NARROW = _("More filters than can be kept on record: choose fewer, then take the list along.")
_OTHERS = frozenset({*IGNORED_PARAMS, PAGE_VAR, ERROR_FLAG})
MAX_FILTERS = ListExport._meta.get_field("filters").max_length or 0

Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponseBase]


class ExportsList(admin.ModelAdmin[Any]):
    """A list that staff who may see it and may export can download as shown: filters, search, order, columns."""

    def get_urls(self) -> list[URLPattern]:
        opts = self.model._meta
        own = {"": self.export_view, "progress/": self.export_progress}
        paths = [
            path(
                f"export/{rest}",
                self.admin_site.admin_view(view),
                name="_".join(filter(None, (opts.app_label, str(opts.model_name), "export", rest.strip("/")))),
            )
            for rest, view in own.items()
        ]
        return [*paths, *super().get_urls()]

    def columns(self, request: HttpRequest) -> list[Any]:
        """Return the names of the list's columns."""
        return list(super().get_list_display(request))

    def may_export(self, request: HttpRequest) -> bool:
        """Return whether the user may see this list and may export lists."""
        return self.has_view_or_change_permission(request) and request.user.has_perm(EXPORT)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Show what the file will contain; on a POST, return the file."""
        if not self.may_export(request):
            raise PermissionDenied
        try:
            shown = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect(f"{self._list_address()}?e=1")
        if request.method == "POST":
            columns = ListColumns(self, self.columns(request))
            return self.download(request, shown.queryset, columns.headings, columns.values)
        return TemplateResponse(request, "admin/export.html", self._about(request, shown))

    def download(
        self, request: HttpRequest, rows: QuerySet[Any], headings: list[str], values: Values
    ) -> HttpResponseBase:
        """Return the rows as a file and record who exports them; redirect to the list if that is not possible now."""
        filters = _filters(request)
        if len(filters) > MAX_FILTERS:
            return self._back_to_list(request, TOO_NARROW)
        export = ListExport(
            user_id=cast("int", request.user.pk),
            ticket=request.POST.get("ticket", "")[:40],
            list_name=str(self.model._meta.verbose_name_plural)[:100],
            filters=filters,
            is_searched=bool(request.GET.get(SEARCH_VAR, "").strip()),
            total=rows.order_by().count(),
        )
        try:
            answer = stream(export, rows, headings, values, file_name(self.model))
        except TooManyExportsError:
            return self._back_to_list(request, BUSY)
        log_change(request, export, str(_("Export as CSV")))
        return answer

    def _back_to_list(self, request: HttpRequest, why: StrOrPromise) -> HttpResponseBase:
        messages.error(request, why)
        return redirect(f"{self._list_address()}?{request.GET.urlencode()}")

    def export_progress(self, request: HttpRequest) -> JsonResponse:
        """Return the progress of a download: `{"text", "handed_out", "is_over"}`, or `{}` before it has begun."""
        if not self.may_export(request):
            raise PermissionDenied
        ticket = request.GET.get("ticket", "")
        export = ListExport.objects.filter(user=request.user.pk, ticket=ticket).order_by("-pk").first()
        if export is None:  # the request for the file, which makes the row, has not come yet
            return JsonResponse({})
        is_over = export.outcome != ListExport.Outcome.RUNNING
        return JsonResponse({"text": said(export), "handed_out": export.handed_out, "is_over": is_over})

    def _about(self, request: HttpRequest, shown: ChangeList) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": _("Export as CSV"),
            "opts": self.model._meta,
            "count": shown.queryset.order_by().count(),
            "headings": ListColumns(self, self.columns(request)).headings,
            "file_name": file_name(self.model),
            "is_narrowed": shown.has_active_filters,
            "sought": shown.query,
            "back": f"{self._list_address()}?{request.GET.urlencode()}",
        }

    def _list_address(self) -> str:
        return reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_changelist")


def exported(title: StrOrPromise) -> Callable[[Action], Action]:
    """Make an admin action that returns the chosen rows through `download`, for staff who may export."""

    def decorate(work: Action) -> Action:
        @wraps(work)
        def action(room: ExportsList, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseBase:
            if not room.may_export(request):
                raise PermissionDenied
            return work(room, request, chosen)

        described = cast("Any", action)
        described.short_description, described.permission, described.is_export = title, EXPORT, True
        return action

    return decorate


def _filters(request: HttpRequest) -> str:
    """Return the query parameters that filter and order the rows, without the search and the page."""
    kept = sorted((name, values) for name, values in request.GET.lists() if name == ORDER_VAR or name not in _OTHERS)
    return urlencode(kept, doseq=True)


def file_name(model: type[Model]) -> str:
    """Return the file's name, such as `connections-2026-11-26.csv`."""
    today: date = timezone.now().date()
    return f"{slugify(str(model._meta.verbose_name_plural))}-{today:%Y-%m-%d}.csv"


def said(export: ListExport) -> str:
    """Return the progress of an export in words."""
    wording = {
        ListExport.Outcome.RUNNING: _("{handed_out:,} of {total:,} rows"),
        ListExport.Outcome.WHOLE: _("All is handed over: {handed_out:,} rows."),
        ListExport.Outcome.BROKEN_OFF: _("Broken off after at most {handed_out:,} of {total:,} rows."),
    }
    return wording[export.outcome].format(handed_out=export.handed_out, total=export.total)
