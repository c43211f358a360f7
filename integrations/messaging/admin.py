"""The admin pages of text messages: API keys and channels, statuses and their batches, volumes and cost."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from integrations.connections.installation_admin import OfInstallationAdmin
from integrations.connections.models import Application, Connection
from integrations.messaging.api_keys import replace_api_key
from integrations.messaging.call_kinds import send_refused_again
from integrations.messaging.channels import switch_channel
from integrations.messaging.chart import volume_chart
from integrations.messaging.models import (
    BatchState,
    ChannelSwitch,
    DailyVolume,
    MessageStatus,
    SmsConnection,
    StatusBatch,
)
from partner_portal.core.admin_base import ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_cells import moment_of, word
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural
from partner_portal.core.left_out import left_out_of

OPERATE = "connections.change_connection"
MAX_SHOWN = 50


@admin.register(SmsConnection)
class SmsConnectionAdmin(ReadOnlyAdmin):
    """The admin page of SMS applications' connections, with their API key and their channels."""

    menu = Section.MESSAGES.at(7)
    list_display = ("location", "application", "state")
    list_filter = ("state", "application")
    search_fields = ("=location__altegio_id", "location__title__istartswith")
    list_select_related = ("application", "location")
    ordering = ("-pk",)
    fields = ("application", "location", "state", "channels", "whole")
    readonly_fields = ("channels", "whole")
    actions = ("replace_key", "sms_on", "sms_off", "whatsapp_on", "whatsapp_off")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(application__kind=Application.Kind.SMS)

    @admin.display(description=_("channels"))
    def channels(self, connection: SmsConnection) -> str:
        switches = ChannelSwitch.objects.of(connection).order_by("slug")
        shown = (
            f"{switch.get_slug_display()}: {_('on') if switch.is_available else _('off')} "
            f"({switch.get_sync_state_display()}{': ' if switch.sync_error else ''}{switch.sync_error})"
            for switch in switches
        )
        return ", ".join(shown) or "–"

    @admin.display(description=_("connection"))
    def whole(self, connection: SmsConnection) -> SafeString | str:
        return link_to(Connection(pk=connection.pk), str(connection))

    @confirm_action(
        _("Replace the API key"),
        _(
            "Altegio keeps the key it got first. It goes on sending with the old key until the owner disconnects and "
            "connects again; then it gets the new one. The old key is known here until that has happened."
        ),
        permission=OPERATE,
    )
    def replace_key(self, _request: HttpRequest, chosen: QuerySet[SmsConnection]) -> str:
        for connection in chosen:
            replace_api_key(connection)
        return str(_("New keys are ready for the next connecting."))

    @confirm_action(_("SMS: on"), _("Altegio offers the channel at these locations."), permission=OPERATE)
    def sms_on(self, _request: HttpRequest, chosen: QuerySet[SmsConnection]) -> str:
        return _switch(chosen, ChannelSwitch.Slug.SMS, is_available=True)

    @confirm_action(_("SMS: off"), _("Altegio no longer offers the channel at these locations."), permission=OPERATE)
    def sms_off(self, _request: HttpRequest, chosen: QuerySet[SmsConnection]) -> str:
        return _switch(chosen, ChannelSwitch.Slug.SMS, is_available=False)

    @confirm_action(_("WhatsApp: on"), _("Altegio offers the channel at these locations."), permission=OPERATE)
    def whatsapp_on(self, _request: HttpRequest, chosen: QuerySet[SmsConnection]) -> str:
        return _switch(chosen, ChannelSwitch.Slug.WHATSAPP, is_available=True)

    @confirm_action(
        _("WhatsApp: off"), _("Altegio no longer offers the channel at these locations."), permission=OPERATE
    )
    def whatsapp_off(self, _request: HttpRequest, chosen: QuerySet[SmsConnection]) -> str:
        return _switch(chosen, ChannelSwitch.Slug.WHATSAPP, is_available=False)


def _switch(chosen: QuerySet[SmsConnection], slug: ChannelSwitch.Slug, *, is_available: bool) -> str:
    for connection in chosen:
        switch_channel(connection, slug, is_available=is_available)
    return str(_("Altegio is being told."))


@admin.register(ChannelSwitch)
class ChannelSwitchAdmin(OfInstallationAdmin):
    menu = Section.MESSAGES.at(8)
    list_display = (
        "installation__location",
        "installation__application",
        "slug",
        "is_available",
        "sync_state",
        "sync_error",
    )
    list_filter = ("sync_state", "slug", "is_available")
    search_fields = ("=installation__location__altegio_id",)
    list_select_related = ("installation__application", "installation__location")
    ordering = ("-pk",)
    fields = ("application", "location", "slug", "is_available", "sync_state", "sync_error")


@admin.register(StatusBatch)
class StatusBatchAdmin(ReadOnlyAdmin):
    menu = Section.MESSAGES.at(5)
    list_display = ("id", "received_at", "address", "state", "size", "refusal", "refusal_code")
    list_filter = ("state",)
    list_select_related = ("address",)
    ordering = ("-pk",)
    fields = (
        *("received_at", "address", "state", "size", ("refusal", "refusal_code"), "left_out", "call_link"),
        "first_statuses",
    )
    readonly_fields = ("left_out", "call_link", "first_statuses")
    actions = ("send_again",)

    def is_offered(self, action: str, row: StatusBatch) -> bool:
        return row.state == BatchState.REFUSED

    @admin.display(description=_("left out of the report"))
    def left_out(self, batch: StatusBatch) -> SafeString | str:
        return format_html_join("", "<div>{}: {}</div>", left_out_of(batch.warnings)[:MAX_SHOWN]) or "–"

    @admin.display(description=_("call"))
    def call_link(self, batch: StatusBatch) -> SafeString | str:
        return link_to(batch.call)

    @admin.display(description=_("statuses"))
    def first_statuses(self, batch: StatusBatch) -> SafeString:
        rows = ((str(status), status.payment_sum or "", status.currency_iso) for status in _first(batch))
        return format_html_join("", "<div>{} {} {}</div>", rows)

    @confirm_action(
        _("Send refused ones again"),
        _("Statuses that Altegio refused go once more."),
        permission="messaging.change_statusbatch",
    )
    def send_again(self, _request: HttpRequest, chosen: QuerySet[StatusBatch]) -> str:
        count = send_refused_again(chosen)
        return english_plural("%d status is on its way.", "%d statuses are on their way.", count) % count


def _first(batch: StatusBatch) -> QuerySet[MessageStatus]:
    return batch.statuses.order_by("pk")[:MAX_SHOWN]


@admin.register(MessageStatus)
class MessageStatusAdmin(ReadOnlyAdmin):
    menu = Section.MESSAGES.at(4)
    list_display = (
        *(
            "message_id",
            "status",
            "payment_sum",
            "currency_iso",
            "parts_amount",
            "batch_state",
            "why_not",
            "received",
        ),
    )
    search_fields = ("=message_id",)
    search_help_text = _("The whole message id.")
    list_select_related = ("batch",)
    ordering = ("-pk",)

    @admin.display(description=_("relayed"))
    def batch_state(self, status: MessageStatus) -> SafeString | str:
        return link_to(status.batch, word(status.batch.state, status.batch.get_state_display()))

    @admin.display(description=_("Altegio's reason"))
    def why_not(self, status: MessageStatus) -> str:
        return status.batch.refusal

    @admin.display(description=_("received"))
    def received(self, status: MessageStatus) -> SafeString | str:
        return moment_of(status.batch.received_at)


@admin.register(DailyVolume)
class DailyVolumeAdmin(ReadOnlyAdmin):
    menu = Section.MESSAGES.at(6)
    list_display = ("day", "salon", "status", "messages", "parts", "cost", "currency_iso")
    list_filter = ("day", "status")
    search_fields = ("=salon_id",)
    search_help_text = _("Altegio's location id.")
    ordering = ("-day", "salon_id", "status")

    @admin.display(description=_("location"), ordering="salon_id")
    def salon(self, volume: DailyVolume) -> str:
        return f"#{volume.salon_id}" if volume.salon_id else "–"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list with a chart of the filtered volumes."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data["chart"] = volume_chart(response.context_data["cl"].queryset)
        return response
