"""Admin screens of what owners may buy at Altegio: tariff options, payment links and discounts."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.forms import DiscountForm, LinkForm
from billing.models import Discount, PaymentLink, TariffOption
from billing.offers import ask_for_link, fetch_tariffs, give_discount
from partner_portal.core.admin_base import ReadOnlyAdmin, confirm_action
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _


@admin.register(TariffOption)
class TariffOptionAdmin(ReadOnlyAdmin):
    menu = Section.MONEY.at(3)
    list_display = (
        *("altegio_id", "application", "tariff_title", "title", "full_price", "months"),
        *("free_months", "staff_amount", "fetched_at"),
    )
    list_filter = ("application",)
    list_select_related = ("application",)
    ordering = ("application", "altegio_id")
    actions = ("fetch",)
    search_fields = ("title__istartswith",)

    @admin.display(description=_("price"))
    def full_price(self, option: TariffOption) -> str:
        return "–" if option.price is None else f"{option.price.normalize():f} {option.currency}"

    @confirm_action(
        _("Ask Altegio for the tariffs"),
        _("The tariffs of the chosen options' applications are fetched again."),
        permission="billing.change_tariffoption",
    )
    def fetch(self, _request: HttpRequest, chosen: QuerySet[TariffOption]) -> str:
        applications = {option.application_id: option.application for option in chosen.select_related("application")}
        for application in applications.values():
            fetch_tariffs(application)
        return str(_("Asked. The answer shows here in a moment."))


@admin.register(PaymentLink)
class PaymentLinkAdmin(ReadOnlyAdmin):
    menu = Section.MONEY.at(4)
    form = LinkForm
    list_display = ("connection", "option", "discount", "state", "url", "error", "asked_at")
    list_filter = ("state",)
    list_select_related = ("connection__application", "connection__location", "option")
    raw_id_fields = ("connection",)
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.add_paymentlink")

    def save_model(self, request: HttpRequest, obj: PaymentLink, form: Any, change: bool) -> None:
        obj.pk = ask_for_link(obj.connection, obj.option, obj.discount).pk


@admin.register(Discount)
class DiscountAdmin(ReadOnlyAdmin):
    menu = Section.MONEY.at(5)
    form = DiscountForm
    list_display = ("connection", "percent", "state", "error", "changed_at")
    list_filter = ("state",)
    list_select_related = ("connection__application", "connection__location")
    raw_id_fields = ("connection",)
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.add_discount")

    def save_model(self, request: HttpRequest, obj: Discount, form: Any, change: bool) -> None:
        obj.pk = give_discount(obj.connection, obj.percent).pk
