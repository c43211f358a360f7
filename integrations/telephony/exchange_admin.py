"""Webhooks of exchanges in the control room: their mappings, tried on what an exchange sends before it does."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from integrations.connections.location_field import LocationNumberField
from integrations.connections.models import Location
from integrations.telephony.exchange_mappings import InvalidMappingError, apply_mapping, check_mapping
from integrations.telephony.exchange_webhooks import read_webhook_body
from integrations.telephony.models import ExchangeWebhook
from integrations.telephony.reading import InvalidCallError, read_ended, read_ringing
from integrations.telephony.reading_rules import ReadingRules, rules_of
from partner_portal.core.admin_base import BaseAdmin
from partner_portal.core.admin_sections import Section
from partner_portal.core.clean import InvalidJsonError
from partner_portal.core.english import english as _


class ExchangeWebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' class takes a type, Django's does not
    """A mapping, and what the exchange sends to try it on. The sample is not kept: it holds clients' numbers."""

    location = LocationNumberField(
        label=_("Location"),
        required=False,
        help_text=_("Its number at Altegio. Whose calls these are; without one the mapping must name salon_id."),
    )
    sample = forms.CharField(
        label=_("try it on"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_(
            "Paste what the exchange sends, JSON or a form. Nothing of it is kept, and Altegio is told nothing."
        ),
    )
    tried: list[str]

    class Meta:
        model = ExchangeWebhook
        fields = ("name", "location", "rings", "mapping")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.tried = []
        if "mapping" not in cleaned:
            return cleaned
        rings = bool(cleaned.get("rings"))
        try:
            check_mapping(cleaned["mapping"], rings=rings)
            if sample := cleaned.get("sample"):
                self.tried = tried(cleaned["mapping"], sample, cleaned.get("location"), rings=rings)
        except InvalidMappingError as wrong:
            raise ValidationError({"mapping": str(wrong)}) from None
        except InvalidJsonError as wrong:
            raise ValidationError({"sample": str(wrong)}) from None
        return cleaned


def tried(mapping: dict[str, Any], sample: str, location: Location | None, *, rings: bool) -> list[str]:
    """What a body would become, in lines for staff. Nothing is stored."""
    mapped = apply_mapping(mapping, read_webhook_body(sample.encode()))
    rules = rules_of(location) if location is not None else ReadingRules()
    lines = [_("Found: %s") % _shown(mapped)]
    try:
        call = (read_ringing if rings else read_ended)(mapped, rules)
    except InvalidCallError as bad:
        return lines + [f"{name}: {' '.join(problems)}" for name, problems in bad.problems.items()]
    return [
        *lines,
        _("Told: %s") % _shown(call.payload),
        *(f"{item['field']}: {item['message']}" for item in call.warnings),
    ]


def _shown(fields: dict[str, Any]) -> str:
    return " · ".join(f"{name} {value}" for name, value in fields.items())


@admin.register(ExchangeWebhook)
class ExchangeWebhookAdmin(BaseAdmin):
    menu = Section.INTEGRATIONS.at(6)
    form = ExchangeWebhookForm
    list_display = ("name", "location", "rings", "address")
    list_select_related = ("location",)
    search_fields = ("name__istartswith", "=location__altegio_id")
    ordering = ("name",)
    fields = ("name", "location", "rings", "mapping", "sample", "address")
    readonly_fields = ("address",)

    @admin.display(description=_("address"))
    def address(self, webhook: ExchangeWebhook) -> str:
        return webhook.address if webhook.name else "–"

    def save_model(self, request: HttpRequest, obj: ExchangeWebhook, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for line in form.tried:
            messages.info(request, line)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Who tries a sample stays on the page, where the result stands."""
        return _stay(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return _stay(request, obj) or super().response_change(request, obj)


def _stay(request: HttpRequest, webhook: ExchangeWebhook) -> HttpResponse | None:
    if not request.POST.get("sample"):
        return None
    return HttpResponseRedirect(reverse("admin:telephony_exchangewebhook_change", args=[webhook.pk]))
