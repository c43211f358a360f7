"""The admin pages of outgoing calls, attempts and stopped tokens, with exchanges to copy for Altegio's support."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_stubs_ext import StrOrPromise

from integrations.backoffice.health import OVERDUE
from integrations.outbox.call_kinds import CALL_KINDS, kind_title
from integrations.outbox.exchange import exchange_text
from integrations.outbox.models import IDLE, WAITING, Attempt, OutgoingCall, TokenStop
from integrations.outbox.queue import hurry
from integrations.outbox.token_stop import resume_token
from integrations.status_sync.status_sync import ask_status
from partner_portal.core.admin_base import ActionRefusedError, Lookups, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

OPERATE = "outbox.change_outgoingcall"


class DeadlineFilter(admin.SimpleListFilter):
    """A filter by the time left, for waiting rows only, because the others have no index and nobody asks for them."""

    title = _("time left")
    parameter_name = "deadline"
    waiting: tuple[str, ...] = IDLE

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [
            ("10", _("within 10 minutes")),
            ("30", _("within 30 minutes")),
            ("30-10", _("in 10 to 30 minutes")),
            ("30+", _("in more than 30 minutes")),
            ("passed", _("passed")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        in_10, in_30 = now + timedelta(minutes=10), now + timedelta(minutes=30)
        spans = {
            "10": Q(deadline_at__gt=now, deadline_at__lte=in_10),
            "30": Q(deadline_at__gt=now, deadline_at__lte=in_30),
            "30-10": Q(deadline_at__gt=in_10, deadline_at__lte=in_30),
            "30+": Q(deadline_at__gt=in_30),
            "passed": Q(deadline_at__lte=now),
        }
        span = spans.get(self.value() or "")
        return queryset if span is None else queryset.filter(span, state__in=self.waiting)


class KindFilter(admin.SimpleListFilter):
    """A filter by the kind of a call; its choices are the registered kinds, not the kinds found in all rows."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [(name, kind_title(name)) for name in CALL_KINDS.names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=kind) if (kind := self.value()) else queryset


class WaitingFilter(admin.SimpleListFilter):
    """A filter for waiting calls: all of them, the failing ones or the overdue ones."""

    title = _("what waits")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("waiting")), ("failing", _("failing")), ("overdue", _("overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        waiting = queryset.filter(state__in=WAITING)
        match self.value():
            case "yes":
                return waiting
            case "failing":
                return waiting.filter(setbacks__gt=0)
            case "overdue":
                return waiting.filter(due_at__lt=timezone.now() - OVERDUE)
        return queryset


@admin.register(OutgoingCall)
class OutgoingCallAdmin(ReadOnlyAdmin):
    menu = Section.EVIDENCE.at(1)
    list_display = ("what", "connection_link", "state", "attempt_count", "reason", "deadline_at")
    list_filter = (WaitingFilter, "state", KindFilter, DeadlineFilter)
    search_fields = ("=connection__location__altegio_id", "key__startswith")
    search_help_text = _("A location's number, or the beginning of a call's key")
    quick_filters = (
        (_("waiting now"), "waiting=yes"),
        (_("calls that fail"), "waiting=failing"),
        (_("overdue"), "waiting=overdue"),
        (_("held back"), "state__exact=held"),
        (_("refused"), "state__exact=refused"),
        (_("came too late"), "state__exact=expired"),
    )
    list_select_related = ("connection__application", "connection__location")
    ordering = ("-pk",)
    actions = ("try_now", "ask")
    readonly_fields = ("connection_link", "exchange")
    fields = (
        ("kind", "state", "priority"),
        "connection_link",
        "reason",
        ("created_at", "due_at", "deadline_at", "finished_at"),
        ("attempt_count", "setbacks"),
        "params",
        ("key", "ordering_key", "request_id"),
        "exchange",
    )

    @admin.display(description=_("call"))
    def what(self, call: OutgoingCall) -> StrOrPromise:
        return kind_title(call.kind)

    def is_offered(self, action: str, row: OutgoingCall) -> bool:
        return not row.is_finished if action == "try_now" else row.connection_id is not None

    @admin.display(description=_("connection"))
    def connection_link(self, call: OutgoingCall) -> SafeString | str:
        return link_to(call.connection)

    @admin.display(description=_("request and answer (secrets masked), to copy for Altegio's support"))
    def exchange(self, call: OutgoingCall) -> SafeString:
        text = exchange_text(call)
        return format_html(
            '<textarea class="exchange" aria-label="{}" readonly rows="{}" cols="100">{}</textarea>',
            _("Request and answer"),
            min(len(text.splitlines()) + 1, 40),
            text,
        )

    @confirm_action(
        _("Try again now"),
        _("A call that waits goes out at once. A held one is released. A finished one stays as it is."),
        permission=OPERATE,
    )
    def try_now(self, _request: HttpRequest, chosen: QuerySet[OutgoingCall]) -> str:
        count = hurry(OutgoingCall.objects.filter(pk__in=[call.pk for call in chosen]))
        if not count:
            raise ActionRefusedError(
                _("None of these calls waits. For a connection that ended, try again on the connection.")
            )
        return english_plural("%d call goes out now.", "%d calls go out now.", count) % count

    @confirm_action(
        _("Ask Altegio"),
        _("Altegio is asked what it holds to be true; nothing is changed there."),
        permission=OPERATE,
    )
    def ask(self, _request: HttpRequest, chosen: QuerySet[OutgoingCall]) -> str:
        connections = {call.connection_id: call.connection for call in chosen if call.connection}
        for connection in connections.values():
            ask_status(connection)
        return str(_("Asked. The answer shows on the connection in a moment."))


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    menu = Section.EVIDENCE.at(6)
    list_display = ("started_at", "call", "purpose", "method", "url", "status_code", "outcome", "message")
    list_select_related = ("call",)
    ordering = ("-pk",)
    exclude = ("call",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(TokenStop)
class TokenStopAdmin(ReadOnlyAdmin):
    menu = Section.EVIDENCE.at(5)
    list_display = ("since", "message")
    actions = ("resume",)

    @confirm_action(
        _("The token works again: resume all calls"),
        _("Do this after Altegio has accepted the token again. A new token in the settings resumes by itself."),
        permission="outbox.change_tokenstop",
    )
    def resume(self, _request: HttpRequest, _chosen: QuerySet[TokenStop]) -> str:
        resume_token()
        return str(_("Calls go out again."))
