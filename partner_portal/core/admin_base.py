"""Base classes of the admin: read-only lists, pagination without large counts, confirmed and logged actions."""

from collections import Counter
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl

import structlog
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import DataError, transaction
from django.db.models import DateTimeField, Field, Model, QuerySet, URLField
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django_stubs_ext import StrOrPromise

from partner_portal.core.admin_cells import drawn
from partner_portal.core.admin_exports import ExportsList
from partner_portal.core.admin_history import NamesNobody, log_change
from partner_portal.core.admin_rules import RoomChecks, RoomList, names_secret, without
from partner_portal.core.admin_sections import InMenu
from partner_portal.core.admin_way_back import ComesBack, way_back
from partner_portal.core.admin_widgets import LabelledDateAndTime
from partner_portal.core.bidi import isolated
from partner_portal.core.english import english as _
from partner_portal.core.search import IndexedSearch

log = structlog.get_logger(__name__)

Text = StrOrPromise
Work = Callable[[Any, HttpRequest, QuerySet[Any]], Text]
Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponseBase | None]
Lookups = list[tuple[str, StrOrPromise]]
MAX_SHOWN = 20
KEY_BITS = 64


class ActionRefusedError(Exception):
    """Raised when an action is not possible for the chosen row; `str()` tells staff why."""


class Uncounted(Paginator[Any]):
    """A paginator that never counts a large table.

    The admin asks for a count to draw its page numbers. Up to `MAX_COUNT` rows are counted exactly. A longer list
    says "more than `MAX_COUNT`" (`has_more`); its oldest rows are found by filters and search.
    """

    MAX_COUNT = 5_000

    @property
    def count(self) -> int:
        return min(self._found, self.MAX_COUNT)

    @property
    def has_more(self) -> bool:
        """Whether the list has more rows than `count` says."""
        return self._found > self.MAX_COUNT

    @cached_property
    def _found(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[: self.MAX_COUNT + 1].count()


class BaseAdmin(InMenu, IndexedSearch, ComesBack, NamesNobody, ExportsList):
    """The base class of every list in the admin."""

    paginator = Uncounted
    show_full_result_count = False
    # Facets would count every filter's rows.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    # "www.salon.example" without a scheme means https.
    formfield_overrides: ClassVar[dict[type[Field[Any, Any]], dict[str, Any]]] = {
        URLField: {"assume_scheme": "https"},
        DateTimeField: {"widget": LabelledDateAndTime},
    }
    # Links above the list: each has a label and a URL or only its query.
    quick_filters: tuple[tuple[StrOrPromise, str], ...] = ()
    # Filters that are not offered beside the list but used in links to it.
    linked_lookups: ClassVar[tuple[str, ...]] = ()
    change_form_template = "admin/base_change_form.html"
    checks_class = RoomChecks

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets without secret columns.

        Only a form's own field may set a secret, for staff who may write, and such a field never shows it.
        """
        may_write = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        own = set(self.form.declared_fields) if may_write else set()
        shown = set(self.get_readonly_fields(request, obj))
        own -= shown

        def dropped(name: Any) -> bool:
            # A row that is still to be added has no read-only values to show.
            is_empty = obj is None and name in shown
            return is_empty or (isinstance(name, str) and name not in own and names_secret(self.model, name))

        fieldsets = super().get_fieldsets(request, obj)
        return [(title, {**options, "fields": without(options["fields"], dropped)}) for title, options in fieldsets]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form with capitalised labels, as Django writes those of the model's own fields."""
        form = super().get_form(request, obj, change=change, **kwargs)
        for name, field in form.base_fields.items():
            # A declared field is shared by all instances of the form class, whatever their language, so copy it.
            form.base_fields[name] = copy(field)
            form.base_fields[name].label = capfirst(field.label) if field.label else field.label
        return form

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns, with states and times drawn as in every other list."""
        return [drawn(self.model, name) for name in self.columns(request)]

    def get_changelist(self, request: HttpRequest, **_kwargs: Any) -> type[RoomList]:
        return RoomList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in self.linked_lookups or super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list. Raises IncorrectLookupParameters for a filter value that the database cannot compare."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, OverflowError, ValueError) as wrong:
            if not request.GET:
                raise
            raise IncorrectLookupParameters from wrong

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Render the page of one row, with the actions of the list as buttons."""
        context["row_actions"] = self.row_actions(request, context.get("original"))
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Render the list, below the links of `quick_filters`."""
        chosen = sorted(request.GET.items())
        quick_filters = [
            (label, query if "/" in query else f"?{query}", sorted(parse_qsl(query)) == chosen)
            for label, query in self.quick_filters
        ]
        title = capfirst(str(self.model._meta.verbose_name_plural))
        return super().changelist_view(
            request,
            {
                "title": title,
                "quick_filters": quick_filters,
                "may_export": self.may_export(request),
                **(extra_context or {}),
            },
        )

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run the chosen action. Raises BadRequest for a key that no row can have, for which Django would query."""
        try:
            keys = [self.model._meta.pk.to_python(chosen) for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)]
        except ValidationError as wrong:
            raise BadRequest("A chosen row is named by no key.") from wrong
        if any(isinstance(key, int) and key.bit_length() >= KEY_BITS for key in keys):
            raise BadRequest("A chosen row is named by no key.")
        return super().response_action(request, queryset, *args, **kwargs)

    def row_actions(self, request: HttpRequest, row: Any) -> list[tuple[str, StrOrPromise]]:
        """Return the actions offered on the page of `row` as (name, title)."""
        return [
            (name, entry[2])
            for name, entry in self.get_actions(request).items()
            if name != "delete_selected" and (row is None or self.is_offered(name, row))
        ]

    def is_offered(self, action: str, row: Any) -> bool:
        """Return whether the page of `row` offers this action."""
        return True

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return only the actions that this member of staff may run."""
        actions = super().get_actions(request)
        return {
            name: entry
            for name, entry in actions.items()
            if entry and ((needed := getattr(entry[0], "permission", None)) is None or request.user.has_perm(needed))
        }


class ReadOnlyAdmin(BaseAdmin):
    """The base class of read-only lists of past events. They are newest first: no other order has an index."""

    sortable_by: ClassVar[tuple[str, ...]] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def confirm_action(title: Text, explanation: Text, *, permission: str) -> Callable[[Work], Action]:
    """Make an admin action that asks for confirmation, needs `permission` ("app.codename") and is logged.

    The decorated method gets one chosen row at a time, as a query set, and returns the sentence to show. Each row has
    its own transaction, together with the log entry of who did it: a row that fails neither undoes nor stops the
    others. The method raises `ActionRefusedError` with the reason if the action is not possible.
    """

    def decorate(work: Work) -> Action:
        @wraps(work)
        def action(room: "BaseAdmin", request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseBase | None:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            if request.POST.get("confirmed") != "yes":
                return _ask(room, request, chosen, title, explanation, work.__name__)
            done: Counter[str] = Counter()
            problems: Counter[str] = Counter()
            for row in list(chosen):
                try:
                    with transaction.atomic():
                        alone = chosen.model._default_manager.filter(pk=row.pk)
                        said = str(work(room, request, alone))
                        # Log the row as it is now: the history must not repeat what an erasure has just removed.
                        log_change(request, alone.all().first() or row, str(title))
                except ActionRefusedError as reason:
                    problems[str(reason)] += 1
                except Exception:
                    log.exception("action_failed", action=work.__name__, row=row.pk)
                    problems[_("%(row)s: this did not work, and nothing was changed.") % {"row": row}] += 1
                else:
                    done[said] += 1
            _show(request, messages.ERROR, problems)
            _show(request, messages.SUCCESS, done)
            return None

        described = cast("Any", action)
        described.short_description, described.permission, described.is_confirmed = title, permission, True
        return action

    return decorate


def _show(request: HttpRequest, level: int, sentences: Counter[str]) -> None:
    """Show each sentence once, with the number of rows it applies to."""
    for sentence, count in sentences.items():
        messages.add_message(request, level, sentence if count == 1 else f"{count} × {sentence}")


def _ask(
    room: "BaseAdmin", request: HttpRequest, chosen: QuerySet[Any], title: Text, explanation: Text, name: str
) -> HttpResponse:
    context = {
        **room.admin_site.each_context(request),
        "title": title,
        "explanation": explanation,
        "chosen": chosen[:MAX_SHOWN],
        "count": chosen.count(),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "back": way_back(request),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "action": name,
        "opts": room.model._meta,
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def link_to(row: Model | None, text: str = "") -> SafeString | str:
    """Return a link to a row's admin page, or "–" without a row."""
    if row is None:
        return "–"
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), isolated(text or str(row)))
