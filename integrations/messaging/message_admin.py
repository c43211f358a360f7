"""The admin page of requested messages. Number and text are masked, because only the gateway needs them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from integrations.messaging.models import RequestedMessage
from partner_portal.core.admin_base import ReadOnlyAdmin, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural
from partner_portal.core.masking import MASK, mask_phone


@admin.register(RequestedMessage)
class RequestedMessageAdmin(ReadOnlyAdmin):
    menu = Section.MESSAGES.at(3)
    # A narrow screen shows the first columns only.
    list_display = ("id", "state", "location", "masked_phone", "received_at", "sender_name", "channel", "category")
    list_filter = ("state",)
    quick_filters = (
        (_("to be sent"), "state__exact=requested"),
        (_("no final status came"), "state__exact=unanswered"),
    )
    search_fields = ("=id", "=send_id", "=connection__location__altegio_id")
    search_help_text = _("The ext_id, the whole message id, or Altegio's location id.")
    list_select_related = ("connection__location", "connection__application")
    linked_lookups = ("connection__id__exact",)
    ordering = ("-pk",)
    fields = (
        ("location", "connection_link"),
        ("received_at", "state"),
        "send_id",
        ("masked_phone", "sender_name"),
        ("channel", "category"),
        "masked_text",
        "statuses",
    )
    readonly_fields = ("location", "connection_link", "masked_phone", "masked_text", "statuses")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("text", "callback")

    @admin.display(description=_("location"))
    def location(self, message: RequestedMessage) -> SafeString | str:
        return link_to(message.connection.location)

    @admin.display(description=_("connection"))
    def connection_link(self, message: RequestedMessage) -> SafeString | str:
        return link_to(message.connection)

    @admin.display(description=_("phone"))
    def masked_phone(self, message: RequestedMessage) -> str:
        return mask_phone(message.phone)

    @admin.display(description=_("text"))
    def masked_text(self, message: RequestedMessage) -> str:
        length = len(message.text)
        return f"{MASK} ({english_plural('%d character', '%d characters', length) % length})"

    @admin.display(description=_("statuses"))
    def statuses(self, message: RequestedMessage) -> SafeString | str:
        """Return the message's reported statuses as lines, each with the state of its relay to Altegio."""
        reported = message.statuses.select_related("batch").order_by("pk")
        rows = (
            (
                status.batch.received_at.strftime("%Y-%m-%d %H:%M"),
                status.get_status_display(),
                link_to(status.batch, status.batch.get_state_display()),
            )
            for status in reported
        )
        return format_html_join("", "<div>{} · {} — {}</div>", rows) or "–"
