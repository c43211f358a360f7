"""The admin page of connections: their list and search, their history, and the actions of staff."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.views.decorators.http import require_POST

from accounts.models import User
from integrations.activation import staff
from integrations.backoffice.admin.outgoing_calls import DeadlineFilter
from integrations.backoffice.models import ConnectionNote
from integrations.backoffice.owner_view import pages as owner_view
from integrations.backoffice.search.cases import cases_of_people
from integrations.backoffice.search.nearby import nearby
from integrations.backoffice.timeline.notes import NOTE_ADDED, NoteForm
from integrations.backoffice.timeline.page import case_of
from integrations.connections.models import LIVE, UNDECIDED, Connection, State
from integrations.status_sync.disconnect import NotConnectedError, disconnect
from integrations.webhook_settings.call_kinds import NoTokenError, mend_settings, read_settings
from partner_portal.core.admin_base import ActionRefusedError, Lookups, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_history import log_change
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

OFFERED_IN = {
    "try_again": (State.GRANTED, State.EXPIRED, State.FAILED),
    "dismiss": (State.CONFLICT,),
    "disconnect": LIVE,
    "read_webhooks": LIVE,
    "mend_webhooks": LIVE,
}
OPERATE = "connections.change_connection"


def each(chosen: QuerySet[Connection], do: Callable[[int], object]) -> str:
    """Call `do` with the key of each chosen connection; return a summary with the problems of those that failed.

    Raises ActionRefusedError if it was possible for none.
    """
    done, problems = 0, []
    for pk in list(chosen.values_list("pk", flat=True)):
        try:
            do(pk)
            done += 1
        except (staff.NotPossibleError, NotConnectedError, NoTokenError) as problem:
            problems.append(str(problem))
    if not done:
        raise ActionRefusedError(" ".join(problems))
    said = english_plural("Done for %d connection.", "Done for %d connections.", done) % done
    return " ".join([said, *problems])


class TimeLeftFilter(DeadlineFilter):
    """A filter of granted connections by the time left for their activation."""

    waiting = (State.GRANTED,)


class ReviewFilter(admin.SimpleListFilter):
    """A filter for connections that staff must review."""

    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("to be reviewed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(review="") if self.value() == "yes" else queryset


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    menu = Section.CONNECTIONS.at(1)
    list_display = ("location", "state", "time_left", "reason", "person", "arrived_at", "application")
    list_filter = ("state", "application", TimeLeftFilter, ReviewFilter)
    search_fields = (
        "=location__altegio_id",
        "location__title__istartswith",
        "location__phone__startswith",
        "location__phone__in_any_form",
        "=external_id",
    )
    search_help_text = _(
        "A location's number, title or phone; an owner's e-mail, name, phone, Altegio user or id of yours"
    )
    quick_filters = (
        (_("waiting now"), "state__exact=granted"),
        (_("running out of time"), "state__exact=granted&deadline=30"),
        (_("failed today"), "../connectionchange/?event=failed&when=today"),
        (_("conflicts"), "state__exact=conflict"),
        (_("frozen"), "state__exact=frozen"),
        (_("to be reviewed"), "review=yes"),
    )
    list_select_related = ("application", "location", "owner", "claimant")
    change_list_template = "admin/connections/connection/change_list.html"
    change_form_template = "admin/connections/connection/change_form.html"
    actions = (
        *("try_again", "ask", "release", "give", "dismiss", "pass_review", "disconnect"),
        *("read_webhooks", "mend_webhooks"),
    )
    readonly_fields = ("links",)
    fields = (
        ("application", "location", "state"),
        "reason",
        "altegio_words",
        "review",
        ("owner", "claimant", "is_proven"),
        ("is_disputed", "ended_by"),
        ("arrived_at", "deadline_at", "activated_at", "ended_at"),
        "links",
    )

    def matching(self, term: str) -> Q:
        return super().matching(term) | cases_of_people(term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; open a search's only result at once, and offer the nearest matches if there is none."""
        response = super().changelist_view(request, extra_context)
        term = request.GET.get(SEARCH_VAR, "").strip()
        if request.method != "GET" or not term or not isinstance(response, TemplateResponse):
            return response
        context = cast("dict[str, Any]", response.context_data)
        found = context["cl"].result_list
        if not found:
            context.update(sought=term, nearby=nearby(term, _staff(request)))
        elif len(found) == 1 and set(request.GET) == {SEARCH_VAR}:
            return redirect("admin:connections_connection_change", found[0].pk)
        return response

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by age, newest first; with the time-left filter by deadline, the most urgent first."""
        return ("deadline_at", "pk") if request.GET.get(TimeLeftFilter.parameter_name) else ("-pk",)

    @admin.display(description=_("time left"))
    def time_left(self, connection: Connection) -> str:
        if connection.state not in UNDECIDED:
            return "–"
        return timeuntil(connection.deadline_at) if connection.deadline_at > timezone.now() else str(_("none"))

    @admin.display(description=_("owner"))
    def person(self, connection: Connection) -> str:
        """Return the owner, else the claimant, else a dash."""
        return str(connection.owner or connection.claimant or "–")

    def is_offered(self, action: str, row: Connection) -> bool:
        match action:
            case "pass_review":
                return bool(row.review)
            case "give":
                return staff.is_for_staff(row)
            case "release":
                return row.state == State.GRANTED and row.application.hold_activations
        states = OFFERED_IN.get(action)
        return states is None or row.state in states

    @admin.display(description=_("see also"))
    def links(self, connection: Connection) -> SafeString:
        return format_html(
            '{} · <a href="{}" rel="noreferrer">{}</a>',
            link_to(connection.location),
            connection.reconnect_url,
            _("the reconnect page at Altegio"),
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Render the form with the connection's case above the fields: its state, next steps and history."""
        case = case_of(context["original"], request, self.row_actions(request, context["original"]))
        case["owner_view"] = owner_view.entrance(context["original"], _staff(request))
        case["note_form"] = NoteForm() if request.user.has_perm(OPERATE) else None
        return super().render_change_form(request, {**context, **case}, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.add_note))
        note = path("<int:pk>/note/", view, name="connections_connection_note")
        return [note, *owner_view.urlpatterns(self.admin_site.admin_view), *super().get_urls()]

    def add_note(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Store a note that staff wrote on the connection's page."""
        if not request.user.has_perm(OPERATE):
            raise PermissionDenied
        connection = get_object_or_404(Connection.objects.select_related("application", "location"), pk=pk)
        form = NoteForm(request.POST, instance=ConnectionNote(connection=connection, by=_staff(request)))
        if form.is_valid():
            with transaction.atomic():
                form.save()
                log_change(request, connection, NOTE_ADDED)
            messages.success(request, _("The note is kept."))
        else:
            messages.error(request, " ".join(map(str, form.errors["text"])))
        return redirect("admin:connections_connection_change", pk)

    @confirm_action(
        _("Try again now"),
        _("Altegio is asked first; the activation is sent only if Altegio still waits for it."),
        permission=OPERATE,
    )
    def try_again(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: staff.try_again(pk, _staff(request)))

    @confirm_action(
        _("Ask Altegio"),
        _("Altegio is asked what it holds to be true; the connections follow the answer."),
        permission=OPERATE,
    )
    def ask(self, _request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, staff.ask_altegio)

    @confirm_action(_("Release held activations"), _("The activation calls go out now."), permission=OPERATE)
    def release(self, _request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, staff.release)

    @confirm_action(
        _("Conflict: decide for this person"),
        _("The location goes to the person of the chosen claim; all other claims on it end. Make sure who they are."),
        permission=OPERATE,
    )
    def give(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: staff.give_to_claimant(pk, _staff(request)))

    @confirm_action(
        _("Conflict: dismiss this claim"),
        _("The chosen claims end as failed. Where one other is left at a location, it goes on."),
        permission=OPERATE,
    )
    def dismiss(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: staff.dismiss_claim(pk, _staff(request)))

    @confirm_action(
        _("Reviewed: all is well"),
        _("The signed name and the location's title belong together; the owner may see its data."),
        permission=OPERATE,
    )
    def pass_review(self, _request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, staff.pass_review)

    @confirm_action(
        _("Read the webhook settings"),
        _("Altegio is asked which addresses the location sends its events to; the answer is shown on the page."),
        permission=OPERATE,
    )
    def read_webhooks(self, _request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: read_settings(chosen.get(pk=pk)))

    @confirm_action(
        _("Mend the webhook settings"),
        _(
            "The location's settings are read, our address is added, all others are written back as they are, and "
            "everything is read again."
        ),
        permission=OPERATE,
    )
    def mend_webhooks(self, _request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: mend_settings(chosen.get(pk=pk)))

    @confirm_action(
        _("Disconnect"),
        _("Altegio is told to uninstall the application at these locations. Owners can connect again."),
        permission=OPERATE,
    )
    def disconnect(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: disconnect(pk, by=_staff(request), why=str(_("Staff disconnected it."))))


def _staff(request: HttpRequest) -> User:
    return cast("User", request.user)
