"""Connections in the control room: their history, their calls, and what staff may do."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from integrations.activation import staff
from integrations.lifecycle.disconnect import NotConnected, disconnect
from integrations.models.connection import Connection, ConnectionChange, State
from integrations.outbox.admin import DeadlineFilter
from integrations.timeline.admin import timeline_page
from partner_portal.control_room import CannotDo, EvidenceAdmin, Lookups, confirmed, link_to

OFFERED_IN = {
    "try_again": (State.GRANTED, State.EXPIRED, State.FAILED),
    "release": (State.GRANTED,),
    "give": (State.CONFLICT,),
    "dismiss": (State.CONFLICT,),
}
OPERATE = "integrations.change_connection"


def each(chosen: QuerySet[Connection], do: Callable[[int], object]) -> str:
    """Do it for every chosen connection; what is not possible is said, the rest is done."""
    done, problems = 0, []
    for pk in list(chosen.values_list("pk", flat=True)):
        try:
            do(pk)
            done += 1
        except (staff.NotPossible, NotConnected) as problem:
            problems.append(str(problem))
    if not done:
        raise CannotDo(" ".join(problems))
    said = ngettext("Done for %d connection.", "Done for %d connections.", done) % done
    return " ".join([said, *problems])


class TimeLeftFilter(DeadlineFilter):
    """How much time is left for an activation."""

    waiting = (State.GRANTED,)


class ReviewFilter(admin.SimpleListFilter):
    """What staff must look at."""

    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("to be reviewed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(review="") if self.value() == "yes" else queryset


class ChangeInline(admin.TabularInline[ConnectionChange, Connection]):
    model = ConnectionChange
    fields = readonly_fields = ("at", "from_state", "to_state", "why", "by")
    extra = 0
    can_delete = False

    def has_add_permission(self, *_args: object) -> bool:
        return False


@admin.register(Connection)
class ConnectionAdmin(EvidenceAdmin):
    list_display = ("location", "state", "time_left", "reason", "owner", "arrived_at", "application")
    list_filter = ("state", "application", TimeLeftFilter, ReviewFilter)
    search_fields = (
        "=location__altegio_id",
        "location__title__istartswith",
        "location__phone__startswith",
        "owner__email__istartswith",
        "claimant__email__istartswith",
    )
    search_help_text = _("A location's number, the beginning of its title or phone number, or an e-mail address")
    everyday = (
        (_("waiting now"), "state__exact=granted"),
        (_("running out of time"), "state__exact=granted&deadline=30"),
        (_("failed today"), "../connectionchange/?event=failed&when=today"),
        (_("conflicts"), "state__exact=conflict"),
        (_("frozen"), "state__exact=frozen"),
        (_("to be reviewed"), "review=yes"),
    )
    list_select_related = ("application", "location", "owner")
    inlines = (ChangeInline,)
    actions = ("try_again", "ask", "release", "give", "dismiss", "pass_review", "disconnect")
    readonly_fields = ("links", "calls_list")
    fields = (
        ("application", "location", "state"),
        "reason",
        "altegio_words",
        "review",
        ("owner", "claimant"),
        ("arrived_at", "deadline_at", "activated_at", "ended_at"),
        "links",
        "calls_list",
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Newest first; what runs out of time, the most urgent first."""
        return ("deadline_at", "pk") if request.GET.get(TimeLeftFilter.parameter_name) else ("-pk",)

    @admin.display(description=_("time left"))
    def time_left(self, connection: Connection) -> str:
        if connection.state != State.GRANTED:
            return "–"
        return timeuntil(connection.deadline_at) if connection.deadline_at > timezone.now() else str(_("none"))

    def makes_sense(self, action: str, row: Connection) -> bool:
        states = OFFERED_IN.get(action)
        return bool(row.review) if action == "pass_review" else states is None or row.state in states

    @admin.display(description=_("see also"))
    def links(self, connection: Connection) -> SafeString:
        return format_html(
            '{} · <a href="{}">{}</a> · <a href="{}" rel="noreferrer">{}</a>',
            link_to(connection.location),
            reverse("admin:integrations_connection_timeline", args=[connection.pk]),
            _("timeline"),
            connection.reconnect_url,
            _("the reconnect page at Altegio"),
        )

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(timeline_page)
        return [path("<int:pk>/timeline/", page, name="integrations_connection_timeline"), *super().get_urls()]

    @admin.display(description=_("calls"))
    def calls_list(self, connection: Connection) -> SafeString:
        rows = (
            (link_to(call), call.get_state_display(), call.tries, call.reason)
            for call in connection.calls.order_by("-pk")[:50]
        )
        return format_html_join("", "<div>{} — {} ({}×) {}</div>", rows)

    @confirmed(
        _("Try again now"),
        _("Altegio is asked first; the activation is sent only if Altegio still waits for it."),
        permission=OPERATE,
    )
    def try_again(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: staff.try_again(pk, _staff(request)))

    @confirmed(
        _("Ask Altegio"),
        _("Altegio is asked what it holds to be true; the connections follow the answer."),
        permission=OPERATE,
    )
    def ask(self, _request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, staff.ask_altegio)

    @confirmed(_("Release held activations"), _("The activation calls go out now."), permission=OPERATE)
    def release(self, _request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, staff.release)

    @confirmed(
        _("Conflict: decide for this person"),
        _("The location goes to the person of the chosen claim; all other claims on it end. Make sure who they are."),
        permission=OPERATE,
    )
    def give(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: staff.give_to_claimant(pk, _staff(request)))

    @confirmed(_("Conflict: dismiss this claim"), _("The chosen claims end as failed."), permission=OPERATE)
    def dismiss(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: staff.dismiss_claim(pk, _staff(request)))

    @confirmed(
        _("Reviewed: all is well"),
        _("The signed name and the location's title belong together; the owner may see its data."),
        permission=OPERATE,
    )
    def pass_review(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: staff.pass_review(pk, _staff(request)))

    @confirmed(
        _("Disconnect"),
        _("Altegio is told to uninstall the application at these locations. Owners can connect again."),
        permission=OPERATE,
    )
    def disconnect(self, request: HttpRequest, chosen: QuerySet[Connection]) -> str:
        return each(chosen, lambda pk: disconnect(pk, by=_staff(request), why=str(_("Staff disconnected it."))))


def _staff(request: HttpRequest) -> User:
    return cast(User, request.user)
