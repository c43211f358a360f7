"""Admin screens of entity events and their deliveries."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.webhooks.deliver import send_again
from integrations.webhooks.fan_out import fan_out_again
from integrations.webhooks.models import Delivery, Event
from partner_portal.core.admin_base import ActionRefusedError, Lookups, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural
from partner_portal.core.masking import mask

MAX_SHOWN = 100_000


class HandedOnFilter(admin.SimpleListFilter):
    """A filter for events that still wait to be forwarded."""

    title = _("handed on")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("yes", _("waiting"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(forwarded_at=None) if self.value() == "yes" else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    menu = Section.INTEGRATIONS.at(9)
    list_display = ("id", "received_at", "location_link", "flag", "is_duplicate", "forwarded_at")
    list_filter = ("flag", HandedOnFilter)
    search_fields = ("=installation__location__altegio_id",)
    list_select_related = ("installation__location",)
    ordering = ("-pk",)
    actions = ("again",)
    readonly_fields = ("location_link", "payload")
    fields = ("location_link", ("received_at", "forwarded_at"), ("flag", "is_duplicate"), "payload")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).defer("body")

    @admin.display(description=_("location"))
    def location_link(self, event: Event) -> SafeString | str:
        return link_to(event.installation.location)

    @admin.display(description=_("what came (secrets masked)"))
    def payload(self, event: Event) -> SafeString:
        return format_html("<pre>{}</pre>", mask(event.body[:MAX_SHOWN]))

    @confirm_action(
        _("Hand on again"),
        _("The chosen events go to every receiver once more, and to the partner's webhooks."),
        permission="webhooks.change_event",
    )
    def again(self, _request: HttpRequest, chosen: QuerySet[Event]) -> str:
        count = fan_out_again(chosen)
        return english_plural("%d event is handed on again.", "%d events are handed on again.", count) % count


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    menu = Section.INTEGRATIONS.at(10)
    list_display = ("id", "created_at", "target", "application", "count", "state", "attempt_count", "due_at", "error")
    list_filter = ("state", "application")
    list_select_related = ("application",)
    ordering = ("-pk",)
    actions = ("again",)

    @confirm_action(
        _("Send again"),
        _("Dead letters go out once more, with all their tries. Others stay as they are."),
        permission="webhooks.change_delivery",
    )
    def again(self, _request: HttpRequest, chosen: QuerySet[Delivery]) -> str:
        count = send_again(Delivery.objects.filter(pk__in=[delivery.pk for delivery in chosen]))
        if not count:
            raise ActionRefusedError(_("None of these is a dead letter."))
        return english_plural("%d delivery goes out again.", "%d deliveries go out again.", count) % count
