"""Admin page for callbacks."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.lifecycle.models import Callback
from integrations.lifecycle.processing import process_again
from partner_portal.core.admin_base import ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural
from partner_portal.core.masking import mask


@admin.register(Callback)
class CallbackAdmin(ReadOnlyAdmin):
    menu = Section.EVIDENCE.at(2)
    list_display = ("received_at", "event", "salon_id", "application_altegio_id", "state", "note", "connection_link")
    list_filter = ("state",)
    search_fields = ("=salon_id",)
    list_select_related = ("connection__application", "connection__location")
    ordering = ("-pk",)
    actions = ("again",)
    readonly_fields = ("connection_link", "payload")
    fields = (
        ("received_at", "processed_at"),
        ("event", "state"),
        "note",
        ("salon_id", "application_altegio_id"),
        "connection_link",
        "payload",
    )

    @admin.display(description=_("connection"))
    def connection_link(self, callback: Callback) -> SafeString | str:
        return link_to(callback.connection)

    @admin.display(description=_("what came (secrets masked)"))
    def payload(self, callback: Callback) -> SafeString:
        return format_html("<pre>{}</pre>", mask(callback.body))

    @confirm_action(
        _("Process again"),
        _("Altegio is asked once more what is true; a payment is handed to billing once more, which knows it."),
        permission="lifecycle.change_callback",
    )
    def again(self, _request: HttpRequest, chosen: QuerySet[Callback]) -> str:
        count = process_again(Callback.objects.filter(pk__in=[callback.pk for callback in chosen]))
        return english_plural("%d callback is processed again.", "%d callbacks are processed again.", count) % count
