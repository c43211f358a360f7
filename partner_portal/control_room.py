"""What the admin screens share: evidence is read-only, lists count nothing, actions ask once and are logged."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet, URLField
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_stubs_ext import StrOrPromise

from partner_portal.search import IndexedSearch

Text = StrOrPromise
Work = Callable[[Any, HttpRequest, QuerySet[Any]], Text]
Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]
Lookups = list[tuple[str, StrOrPromise]]
MOST_SHOWN = 20


class CannotDo(Exception):
    """An action is not possible for what was chosen; `str()` says why, in plain words."""


class Uncounted(Paginator[Any]):
    """A paginator that never counts a large table: it looks one page ahead instead.

    The admin asks for a count to draw its page numbers. Up to `MOST` rows are counted exactly; beyond
    that there are "more than so many", and the oldest are found by filters and search.
    """

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        found = self.object_list
        if not isinstance(found, QuerySet):
            return len(found)
        return found.order_by().values("pk")[: self.MOST].count()


class RoomAdmin(IndexedSearch, admin.ModelAdmin[Any]):
    """The base of every list in the control room."""

    paginator = Uncounted
    show_full_result_count = False
    # Facets would count every filter's rows.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    # Who types "www.salon.example" means https.
    formfield_overrides: ClassVar[dict[type[Field[Any, Any]], dict[str, Any]]] = {
        URLField: {"assume_scheme": "https"}
    }
    # Links above the list: what it is called, and the address or only its query.
    everyday: tuple[tuple[StrOrPromise, str], ...] = ()
    change_form_template = "admin/room_change_form.html"

    class Media:
        css = {"all": ["admin/room.css"]}
        js = ["admin/room.js"]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The actions of the list, as buttons on the page of one row."""
        context["row_actions"] = self.row_actions(request, context.get("original"))
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below the links to the everyday questions."""
        chosen = sorted(request.GET.items())
        everyday = [
            (label, query if "/" in query else f"?{query}", sorted(parse_qsl(query)) == chosen)
            for label, query in self.everyday
        ]
        return super().changelist_view(request, {"everyday": everyday, **(extra_context or {})})

    def row_actions(self, request: HttpRequest, row: Any) -> list[tuple[str, StrOrPromise]]:
        """The actions offered on the page of `row`: (name, title)."""
        return [
            (name, entry[2])
            for name, entry in self.get_actions(request).items()
            if name != "delete_selected" and (row is None or self.makes_sense(name, row))
        ]

    def makes_sense(self, action: str, row: Any) -> bool:
        """Whether the page of `row` offers this action."""
        return True

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Only what this member of staff may do."""
        actions = super().get_actions(request)
        return {
            name: entry
            for name, entry in actions.items()
            if entry and ((needed := getattr(entry[0], "permission", None)) is None or request.user.has_perm(needed))
        }


class EvidenceAdmin(RoomAdmin):
    """What happened: to be looked at, not to be changed. Newest first: no other order has an index."""

    sortable_by: ClassVar[tuple[str, ...]] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def confirmed(title: Text, explanation: Text, *, permission: str) -> Callable[[Work], Action]:
    """An admin action that asks once, needs `permission` ("app.codename"), and is logged with who did it.

    The decorated method does the work for the chosen rows and returns the sentence to show. It raises
    `CannotDo` with the reason where the work is not possible.
    """

    def decorate(work: Work) -> Action:
        @wraps(work)
        def action(room: "RoomAdmin", request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            if request.POST.get("confirmed") != "yes":
                return _ask(room, request, chosen, title, explanation, work.__name__)
            rows = list(chosen)
            try:
                said = work(room, request, chosen)
            except CannotDo as reason:
                messages.error(request, str(reason))
                return None
            for row in rows:
                log_change(request, row, str(title))
            messages.success(request, str(said))
            return None

        described = cast(Any, action)
        described.short_description, described.permission, described.is_confirmed = title, permission, True
        return action

    return decorate


def _ask(
    room: "RoomAdmin", request: HttpRequest, chosen: QuerySet[Any], title: Text, explanation: Text, name: str
) -> HttpResponse:
    context = {
        **room.admin_site.each_context(request),
        "title": title,
        "explanation": explanation,
        "chosen": chosen[:MOST_SHOWN],
        "count": chosen.count(),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "action": name,
        "opts": room.model._meta,
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def log_change(request: HttpRequest, row: Model, what: str) -> None:
    """Remember in the admin's history who did what."""
    LogEntry.objects.log_actions(
        user_id=cast(int, request.user.pk),
        queryset=[row],
        action_flag=CHANGE,
        change_message=what,
        single_object=True,
    )


def link_to(row: Model | None, text: str = "") -> SafeString | str:
    """A link to a row's admin page; "–" without a row."""
    if row is None:
        return "–"
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), text or str(row))
