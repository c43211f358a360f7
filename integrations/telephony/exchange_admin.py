"""The admin page of exchange webhooks, where staff write a mapping and try it on a sample before it is used."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.telephony.exchange_form import OF_MAPPING, ExchangeWebhookForm
from integrations.telephony.exchange_lines import write_rule
from integrations.telephony.models import ExchangeWebhook
from partner_portal.core.admin_base import BaseAdmin
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _

HOW_TO = _(
    "One line for each place: call.from, or legs[0].user, below one another where the first that holds something "
    "counts. Below a place a line for each of their words: OK = success. The same for all: = incoming. By another "
    "field: if call.way is out: call.to, and at the end otherwise: call.from."
)


@admin.register(ExchangeWebhook)
class ExchangeWebhookAdmin(BaseAdmin):
    menu = Section.INTEGRATIONS.at(6)
    form = ExchangeWebhookForm
    list_display = ("name", "location", "rings", "address")
    list_select_related = ("location",)
    search_fields = ("name__istartswith", "=location__altegio_id")
    ordering = ("name",)
    readonly_fields = ("address", "rules")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the rules as form fields for staff who may change them, else as read-only text."""
        about = ("name", "location", "rings")
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            return [(None, {"fields": (*about, "address", "rules")})]
        rules = [name for name in self.form.declared_fields if name.startswith(OF_MAPPING)]
        return [
            (None, {"fields": (*about, "begin_with", "address")}),
            (_("Where the exchange has what we need"), {"fields": rules, "description": HOW_TO}),
            (_("Try it on"), {"fields": ("sample",)}),
        ]

    @admin.display(description=_("rules"))
    def rules(self, webhook: ExchangeWebhook) -> SafeString | str:
        rows = ((name, write_rule(rule)) for name, rule in webhook.mapping.items())
        return format_html("<dl>{}</dl>", format_html_join("", "<dt>{}</dt><dd><pre>{}</pre></dd>", rows))

    @admin.display(description=_("address"))
    def address(self, webhook: ExchangeWebhook) -> str:
        return webhook.address if webhook.name else "–"

    def save_model(self, request: HttpRequest, obj: ExchangeWebhook, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for line in form.tried:
            messages.info(request, line)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Stay on the page when a sample was tried, because the result is shown there."""
        return _stay(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return _stay(request, obj) or super().response_change(request, obj)


def _stay(request: HttpRequest, webhook: ExchangeWebhook) -> HttpResponse | None:
    if not request.POST.get("sample"):
        return None
    return HttpResponseRedirect(reverse("admin:telephony_exchangewebhook_change", args=[webhook.pk]))
