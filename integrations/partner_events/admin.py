"""Admin screens of webhooks: the addresses, the deliveries, and the events themselves."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.partner_events import endpoints, types
from integrations.partner_events.models import PartnerEvent, WebhookDelivery, WebhookEndpoint
from integrations.partner_events.reading import without_secrets
from integrations.partner_events.sending import NotAcceptedError, fresh_secret, look_up
from partner_portal.core.admin_base import ActionRefusedError, BaseAdmin, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_cells import word
from partner_portal.core.admin_secrets import ShowsNewSecret, keep_for_showing
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

OPERATE = "partner_events.change_webhookendpoint"


class EndpointForm(forms.ModelForm[WebhookEndpoint]):
    """A form for an address and the types it wants; none chosen means every type."""

    url = forms.URLField(
        label=_("Address"),
        max_length=500,
        assume_scheme="https",
        widget=AdminURLFieldWidget,
        help_text=_("https, and public."),
    )
    types = forms.MultipleChoiceField(
        choices=[(name, name) for name in types.ALL],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None chosen: every type, those of later versions too."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "types", "application")

    def clean_url(self) -> str:
        """Check that the address may be sent to."""
        url: str = self.cleaned_data["url"]
        try:
            look_up(url)
        except NotAcceptedError as reason:
            raise forms.ValidationError(str(reason)) from None
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ShowsNewSecret, BaseAdmin):
    menu = Section.INTEGRATIONS.at(2)
    form = EndpointForm
    list_display = ("url", "description", "result", "last_delivered_at", "failing_since")
    list_filter = ("is_active", "application")
    list_select_related = ("application",)
    readonly_fields = (
        *("deliveries", "is_active", "created_at"),
        *("last_delivered_at", "failing_since", "rests_until"),
    )
    actions = ("try_it", "rotate", "switch_on", "switch_off")

    def get_queryset(self, _request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return without_secrets()

    @admin.display(description=_("last delivery's result"))
    def result(self, endpoint: WebhookEndpoint) -> SafeString:
        """Return the result of the last delivery, or why nothing is sent."""
        if not endpoint.is_active:
            return word("off", _("switched off"))
        if endpoint.failing_since:
            return word("failed", _("not taken"))
        if endpoint.last_delivered_at:
            return word("delivered", _("taken"))
        return word("", _("nothing sent yet"))

    @admin.display(description=_("deliveries"))
    def deliveries(self, endpoint: WebhookEndpoint) -> SafeString:
        address = reverse("admin:partner_events_webhookdelivery_changelist")
        return format_html(
            '<a href="{}?endpoint__id__exact={}">{}</a>', address, endpoint.pk, _("What was sent to it")
        )

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        """Save the address; a new one gets its secret, which its page shows once."""
        if change:
            # Save only what was typed: a worker or an API key may have changed the rest meanwhile.
            endpoints.change(obj, {name: form.cleaned_data[name] for name in form.changed_data}, on=None)
            return
        obj.secret = fresh_secret()
        obj.save()
        keep_for_showing(request, obj, obj.secret)

    @confirm_action(
        _("Send a test"),
        _("An event of the type webhook.test goes to the address, whatever types it wants."),
        permission=OPERATE,
    )
    def try_it(self, _request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> str:
        try:
            endpoints.send_test(chosen.get())
        except endpoints.NothingToSendError as reason:
            raise ActionRefusedError(str(reason)) from None
        return str(_("On its way: look at its deliveries."))

    @confirm_action(
        _("New signing secret"),
        _("For 24 hours both secrets sign. The new one is shown once, on the webhook's page."),
        permission=OPERATE,
    )
    def rotate(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> str:
        endpoint = chosen.get()
        keep_for_showing(request, endpoint, endpoints.rotate_secret(endpoint))
        return str(_("There is a new signing secret. The webhook's page shows it once, in the next ten minutes."))

    @confirm_action(_("Switch on"), _("What waited for the address goes out, in its order."), permission=OPERATE)
    def switch_on(self, _request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> str:
        endpoints.switch(chosen.get(), on=True)
        return str(_("Switched on."))

    @confirm_action(
        _("Switch off"),
        _("Nothing is sent to the address. What waits for it goes on waiting, for a week at most."),
        permission=OPERATE,
    )
    def switch_off(self, _request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> str:
        endpoints.switch(chosen.get(), on=False)
        return str(_("Switched off."))

    def is_offered(self, action: str, row: Any) -> bool:
        is_active: bool = row.is_active
        return {"switch_on": not is_active, "switch_off": is_active}.get(action, True)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    menu = Section.INTEGRATIONS.at(3)
    list_display = ("id", "type", "host", "state", "attempt_count", "response_status")
    list_filter = ("state",)
    linked_lookups = ("endpoint__id__exact", "event__connection__id__exact")
    list_select_related = ("endpoint", "event")
    ordering = ("-pk",)
    actions = ("again",)
    readonly_fields = ("type", "event_link")
    fields = (
        *("endpoint", "event_link", ("state", "attempt_count"), ("response_status", "error", "duration")),
        *(("created_at", "due_at", "finished_at")),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return super().get_queryset(request).defer("event__body")

    @admin.display(description=_("goes to"))
    def host(self, delivery: WebhookDelivery) -> str:
        return urlsplit(delivery.endpoint.url).netloc

    @admin.display(description=_("type"))
    def type(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type

    @admin.display(description=_("event"))
    def event_link(self, delivery: WebhookDelivery) -> SafeString | str:
        return link_to(delivery.event)

    @confirm_action(
        _("Send again"),
        _("A dead letter goes out once more, with all its tries. Others stay as they are."),
        permission="partner_events.change_webhookdelivery",
    )
    def again(self, _request: HttpRequest, chosen: QuerySet[WebhookDelivery]) -> str:
        count = endpoints.send_again(list(chosen))
        if not count:
            raise ActionRefusedError(_("This is no dead letter."))
        return english_plural("%d delivery goes out again.", "%d deliveries go out again.", count) % count


@admin.register(PartnerEvent)
class PartnerEventAdmin(ReadOnlyAdmin):
    menu = Section.INTEGRATIONS.at(4)
    list_display = ("created_at", "type", "connection_link")
    list_filter = ("type", "application")
    list_select_related = ("application", "connection__application", "connection__location")
    search_fields: ClassVar[tuple[str, ...]] = ("=message_id",)
    ordering = ("-pk",)
    readonly_fields = ("connection_link",)
    fields = (("type", "application", "connection_link"), ("message_id", "created_at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartnerEvent]:
        return super().get_queryset(request).defer("body")

    @admin.display(description=_("connection"))
    def connection_link(self, event: PartnerEvent) -> SafeString | str:
        return link_to(event.connection)
