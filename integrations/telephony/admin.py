"""Telephony in the control room: each chain's state, its last calls, its failures."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from integrations.models.place import Chain
from integrations.telephony.chains import switch_on_again
from integrations.telephony.models import NotificationDay, SavedCall
from integrations.telephony.saved_calls import send_again
from partner_portal.control_room import CannotDo, EvidenceAdmin, confirmed, link_to

MOST_SHOWN = 20


@admin.register(Chain)
class ChainAdmin(EvidenceAdmin):
    list_display = ("title_or_id", "altegio_id", "telephony", "telephony_error")
    list_filter = ("telephony",)
    search_fields = ("=altegio_id", "title__istartswith")
    ordering = ("-pk",)
    fields = (
        "altegio_id",
        "title",
        ("telephony", "telephony_error"),
        "has_token",
        "notifications",
        "last_calls",
        "failures",
    )
    readonly_fields = ("has_token", "notifications", "last_calls", "failures")
    actions = ("switch_on",)

    def makes_sense(self, action: str, row: Chain) -> bool:
        return row.telephony == Chain.Telephony.FAILED

    @admin.display(description=_("chain"))
    def title_or_id(self, chain: Chain) -> str:
        return str(chain)

    @admin.display(description=_("CRM token known"), boolean=True)
    def has_token(self, chain: Chain) -> bool:
        return bool(chain.crm_token)

    @admin.display(description=_("call notifications"))
    def notifications(self, chain: Chain) -> SafeString:
        days = chain.notification_days.order_by("-day")[:MOST_SHOWN]
        rows = ((day.day, day.shown, day.dropped, day.refused, day.last_error) for day in days)
        row = str(_("{}: {} told in time, {} dropped as too late, {} refused {}"))
        return format_html_join("", f"<div>{row}</div>", rows)

    @admin.display(description=_("last calls"))
    def last_calls(self, chain: Chain) -> SafeString:
        return _listed(chain.saved_calls.order_by("-pk"))

    @admin.display(description=_("failures"))
    def failures(self, chain: Chain) -> SafeString:
        return _listed(chain.saved_calls.filter(state=SavedCall.State.FAILED).order_by("-pk"))

    @confirmed(
        _("Switch telephony on again"),
        _("Altegio refused to switch it on; it is asked once more with the chain's present CRM token."),
        permission="integrations.change_chain",
    )
    def switch_on(self, _request: HttpRequest, chosen: QuerySet[Chain]) -> str:
        count = sum(switch_on_again(pk) for pk in chosen.values_list("pk", flat=True))
        if not count:
            raise CannotDo(_("Only a chain whose switch was refused, with a live connection, is switched on again."))
        return ngettext("%d chain is being switched on.", "%d chains are being switched on.", count) % count


def _listed(calls: QuerySet[SavedCall]) -> SafeString:
    rows = (
        (link_to(call), call.received_at.strftime("%Y-%m-%d %H:%M"), call.get_state_display(), call.error)
        for call in calls[:MOST_SHOWN]
    )
    return format_html_join("", "<div>{} · {} · {} {}</div>", rows)


@admin.register(SavedCall)
class SavedCallAdmin(EvidenceAdmin):
    list_display = ("received_at", "chain", "type", "phone", "diversion", "status", "duration", "state", "error")
    list_filter = ("state", "type")
    search_fields = ("=call_id", "=chain__altegio_id")
    search_help_text = _("The whole call id, or Altegio's chain id.")
    list_select_related = ("chain",)
    ordering = ("-pk",)
    actions = ("send_again",)

    def makes_sense(self, action: str, row: SavedCall) -> bool:
        return row.state == SavedCall.State.FAILED

    @confirmed(
        _("Send refused ones again"),
        _("Calls that Altegio refused go once more, each under its call id."),
        permission="integrations.change_savedcall",
    )
    def send_again(self, _request: HttpRequest, chosen: QuerySet[SavedCall]) -> str:
        count = sum(send_again(pk) for pk in list(chosen.values_list("pk", flat=True)))
        return ngettext("%d call is on its way.", "%d calls are on their way.", count) % count


@admin.register(NotificationDay)
class NotificationDayAdmin(EvidenceAdmin):
    list_display = ("day", "chain", "shown", "dropped", "refused", "last_error")
    list_select_related = ("chain",)
    search_fields = ("=chain__altegio_id",)
    ordering = ("-day", "-pk")
