"""Admin screens of payments: every role may look, the finance group may record, refund and export."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from billing.csv_export import HEAD, settlement_values
from billing.figures.page import figures_page
from billing.forms import PaymentForm
from billing.history import said
from billing.intake import Overlap, PaymentConflictError, record_payment, send_again
from billing.models import Payment, PaymentStatus, Source
from billing.parsing import InvalidPaymentError
from billing.refunds import is_unconfirmed, note_refund, refund_payment
from billing.suggested_payment import suggested_payment
from billing.totals import totals_by_month
from integrations.outbox.exchange import exchange_text
from partner_portal.core.admin_base import ActionRefusedError, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_exports import exported
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

MAX_SHOWN = 50


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    menu = Section.MONEY.at(1)
    form = PaymentForm
    change_list_template = "admin/billing/payment_list.html"
    list_display = ("id", "location", "money", "paid_at", "period_from", "period_to", "status", "source", "error")
    list_filter = ("status", "source", "application", "paid_at")
    search_fields = ("external_id__startswith", "=altegio_payment_id", "=location__altegio_id")
    list_select_related = ("application", "location")
    ordering = ("-pk",)
    actions = ("send_again", "refund", "note_refund", "export")
    readonly_fields = ("connection_link", "money", "changes", "exchanges")
    entry_fields = (
        "external_id",
        ("salon_id", "application_id"),
        ("amount", "currency"),
        "paid_at",
        "period_from",
        "period_to",
        "allow_overlap",
    )
    shown_fields = (
        ("status", "error"),
        "connection_link",
        ("external_id", "source", "recorded_by"),
        ("money", "discount", "altegio_payment_id"),
        ("paid_at", "period_from", "period_to"),
        ("recorded_at", "reported_at", "refund_asked_at", "refunded_at"),
        "changes",
        "exchanges",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.add_payment")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Allow changes only to a payment that failed: it is corrected, and sent again."""
        failed = isinstance(obj, Payment) and obj.status == PaymentStatus.FAILED
        return failed and request.user.has_perm("billing.change_payment")

    def get_fields(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        if obj is None:
            return self.entry_fields
        if self.has_change_permission(request, obj):
            return ("status_and_error", "connection_link", *self.entry_fields, "changes", "exchanges")
        return self.shown_fields

    def get_readonly_fields(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        return (*self.readonly_fields, "status_and_error")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return the first values of the form: the address names the location, its payments suggest the rest."""
        given: dict[str, Any] = {**super().get_changeform_initial_data(request)}
        return suggested_payment(given.get("salon_id", ""), given.get("application_id", "")) | given

    def save_model(self, request: HttpRequest, obj: Payment, form: Any, change: bool) -> None:
        """Record the payment, or send it again, by the same rules as the API and imported files."""
        if change:
            send_again(obj.pk, form.payment_data, source=Source.ADMIN, by=cast("User", request.user))
            return
        overlap = Overlap.ALLOW if form.cleaned_data["allow_overlap"] else Overlap.REFUSE
        recorded = record_payment(form.payment_data, Source.ADMIN, overlap=overlap, by=cast("User", request.user))
        obj.pk = recorded.payment.pk

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form; if the payment changed while it was open, say so and store nothing."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (PaymentConflictError, InvalidPaymentError) as problem:
            messages.error(request, str(problem))
            return redirect(request.path)

    def is_offered(self, action: str, row: Payment) -> bool:
        if action == "note_refund":
            return is_unconfirmed(row)
        wanted = {"refund": (PaymentStatus.QUEUED, PaymentStatus.REPORTED), "send_again": (PaymentStatus.FAILED,)}
        return action not in wanted or row.status in wanted[action]

    @admin.display(description=_("amount"), ordering="amount")
    def money(self, payment: Payment) -> str:
        return f"{payment.exact_amount} {payment.currency}"

    @admin.display(description=_("why it failed"))
    def status_and_error(self, payment: Payment) -> str:
        return payment.error

    @admin.display(description=_("connection"))
    def connection_link(self, payment: Payment) -> SafeString | str:
        return link_to(payment.connection)

    @admin.display(description=_("calls and their attempts (secrets masked)"))
    def exchanges(self, payment: Payment) -> SafeString | str:
        name, newest = _("Request and answer"), payment.calls().order_by("-pk")[:MAX_SHOWN]
        rows = ((link_to(call), call.get_state_display(), name, exchange_text(call)) for call in reversed(newest))
        area = '<textarea class="exchange" aria-label="{}" readonly rows="10" cols="100">{}</textarea>'
        return format_html_join("", f"<div>{{}} — {{}}{area}</div>", rows) or "–"

    @admin.display(description=_("what it said before it was sent again"))
    def changes(self, payment: Payment) -> SafeString | str:
        newest = payment.changes.select_related("location", "by").order_by("-pk")[:MAX_SHOWN]
        rows = ((f"{change.at:%Y-%m-%d %H:%M}", said(change), change.error) for change in reversed(newest))
        return format_html_join("", "<div>{} — {} — {}</div>", rows) or "–"

    @confirm_action(
        _("Send again"),
        _(
            "Payments that failed are sent once more, as they are. Altegio is asked first whether it holds them after"
            " all."
        ),
        permission="billing.change_payment",
    )
    def send_again(self, request: HttpRequest, chosen: QuerySet[Payment]) -> str:
        done, problems = 0, []
        for payment in chosen.order_by("pk"):
            try:
                done += send_again(payment.pk, source=Source.ADMIN, by=cast("User", request.user)).is_new
            except (PaymentConflictError, InvalidPaymentError) as problem:
                problems.append(f"#{payment.pk}: {problem}")
        if not done and problems:
            raise ActionRefusedError(" ".join(problems))
        said = english_plural("%d payment is on its way.", "%d payments are on their way.", done) % done
        return " ".join([said, *problems])

    @confirm_action(
        _("Refund"),
        _(
            "Altegio is told of the refund, once, and switches the connection off if its current period is refunded. "
            "A payment that is still queued is cancelled. This cannot be taken back."
        ),
        permission="billing.refund_payment",
    )
    def refund(self, _request: HttpRequest, chosen: QuerySet[Payment]) -> str:
        done, problems = 0, []
        for payment in chosen.order_by("pk"):
            try:
                done += refund_payment(payment.pk, by_staff=True)[1]
            except PaymentConflictError as problem:
                problems.append(f"#{payment.pk}: {problem}")
        if not done and problems:
            raise ActionRefusedError(" ".join(problems))
        said = english_plural("%d payment is refunded.", "%d payments are refunded.", done) % done
        return " ".join([said, *problems])

    @confirm_action(
        _("Altegio says it is refunded"),
        _(
            "For a refund in doubt, once you have asked Altegio: the payment counts as refunded from now on. Nothing "
            "is sent. This cannot be taken back."
        ),
        permission="billing.refund_payment",
    )
    def note_refund(self, _request: HttpRequest, chosen: QuerySet[Payment]) -> str:
        try:
            note_refund(chosen.get().pk)
        except PaymentConflictError as problem:
            raise ActionRefusedError(str(problem)) from None
        return str(_("The payment is refunded."))

    @exported(_("Export for settlement"))
    def export(self, request: HttpRequest, chosen: QuerySet[Payment]) -> HttpResponseBase:
        """Export all that settles Altegio's share; the list's own file holds only what the list shows."""
        rows = chosen.select_related("application", "location").order_by("pk")
        return self.download(request, rows, list(HEAD), settlement_values)

    def get_urls(self) -> list[URLPattern]:
        totals = path("totals/", self.admin_site.admin_view(self.totals), name="billing_payment_totals")
        figures = path("figures/", self.admin_site.admin_view(self.figures), name="billing_payment_figures")
        return [totals, figures, *super().get_urls()]

    def figures(self, request: HttpRequest) -> HttpResponse:
        """Show the figures of the business by month."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return figures_page(request, {**self.admin_site.each_context(request), "opts": self.model._meta})

    def totals(self, request: HttpRequest) -> HttpResponse:
        """Show the totals by month and currency."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Totals by month and currency"),
            "opts": self.model._meta,
            "rows": totals_by_month(),
        }
        return TemplateResponse(request, "admin/billing/totals.html", context)
