"""The admin pages of telephony: chains, phone calls, call notifications and line settings."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from integrations.connections.models import Chain, Connection
from integrations.outbox.models import OutgoingCall
from integrations.telephony.chains import confirm_chain, is_to_be_confirmed, switch_on_again
from integrations.telephony.models import NotificationDay, PhoneCall, PhoneLines
from integrations.telephony.phone_calls import CallHistory, send_again
from partner_portal.core.admin_base import ActionRefusedError, ReadOnlyAdmin, confirm_action, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural
from partner_portal.core.left_out import left_out_of

MAX_SHOWN = 20


@admin.register(Chain)
class ChainAdmin(ReadOnlyAdmin):
    menu = Section.TELEPHONY.at(2)
    list_display = ("title_or_id", "altegio_id", "telephony", "telephony_error", "is_confirmed")
    list_filter = ("telephony",)
    search_fields = ("=altegio_id", "title__istartswith")
    ordering = ("-pk",)
    fields = (
        "altegio_id",
        "title",
        ("telephony", "telephony_error"),
        ("has_token", "is_confirmed"),
        "connected",
        "notifications",
        "last_calls",
        "failures",
    )
    readonly_fields = ("has_token", "is_confirmed", "connected", "notifications", "last_calls", "failures")
    actions = ("switch_on", "confirm")

    def is_offered(self, action: str, row: Chain) -> bool:
        if action == "confirm":
            return is_to_be_confirmed(row)
        return row.telephony == Chain.Telephony.FAILED

    @admin.display(description=_("chain"))
    def title_or_id(self, chain: Chain) -> str:
        return str(chain)

    @admin.display(description=_("CRM token known"), boolean=True)
    def has_token(self, chain: Chain) -> bool:
        return bool(chain.crm_token)

    @admin.display(description=_("connected with this token"))
    def connected(self, chain: Chain) -> SafeString | str:
        live = Connection.objects.live().filter(location__chain=chain).order_by("pk")
        shown = live.select_related("application", "location", "owner")[:MAX_SHOWN]
        rows = ((link_to(row), link_to(row.owner)) for row in shown)
        return format_html_join("", "<div>{} — {}</div>", rows) or "–"

    @admin.display(description=_("call notifications"))
    def notifications(self, chain: Chain) -> SafeString:
        days = chain.notification_days.order_by("-day")[:MAX_SHOWN]
        rows = ((day.day, day.shown, day.dropped, day.refused, day.last_error) for day in days)
        row = str(_("{}: {} told in time, {} dropped as too late, {} refused {}"))
        return format_html_join("", f"<div>{row}</div>", rows)

    @admin.display(description=_("last calls"))
    def last_calls(self, chain: Chain) -> SafeString:
        return _listed(chain.phone_calls.order_by("-pk"))

    @admin.display(description=_("failures"))
    def failures(self, chain: Chain) -> SafeString:
        return _listed(chain.phone_calls.filter(state=PhoneCall.State.FAILED).order_by("-pk"))

    @confirm_action(
        _("This is the chain of its number"),
        _(
            "Several accounts have connected a chain of this number, each with a CRM token of its own. Calls that "
            "name the number alone will go to the chosen one: its owner gets the numbers of all who call. Make sure "
            "who they are. All locations of this owner that have the number go on under this token. Calls that name "
            "somebody else's location go under that owner's token in any case."
        ),
        permission="connections.change_chain",
    )
    def confirm(self, _request: HttpRequest, chosen: QuerySet[Chain]) -> str:
        chains = list(chosen)
        if len({chain.altegio_id for chain in chains}) < len(chains):
            raise ActionRefusedError(_("Choose one chain of a number."))
        for chain in chains:
            confirm_chain(chain.pk)
        return str(_("Calls that name the number alone go there now."))

    @confirm_action(
        _("Switch telephony on again"),
        _("Altegio refused to switch it on; it is asked once more with the chain's present CRM token."),
        permission="connections.change_chain",
    )
    def switch_on(self, _request: HttpRequest, chosen: QuerySet[Chain]) -> str:
        count = sum(switch_on_again(pk) for pk in chosen.values_list("pk", flat=True))
        if not count:
            raise ActionRefusedError(
                _("Only a chain whose switch was refused, with a live connection, is switched on again.")
            )
        return english_plural("%d chain is being switched on.", "%d chains are being switched on.", count) % count


def _listed(calls: QuerySet[PhoneCall]) -> SafeString:
    rows = (
        (link_to(call), call.received_at.strftime("%Y-%m-%d %H:%M"), call.get_state_display(), call.remark or "–")
        for call in calls[:MAX_SHOWN]
    )
    return format_html_join("", "<div>{} · {} · {} · {}</div>", rows)


@admin.register(PhoneCall)
class PhoneCallAdmin(ReadOnlyAdmin):
    menu = Section.TELEPHONY.at(1)
    list_display = ("received_at", "place", "parties", "state", "remark")
    fields = (
        ("chain", "location"),
        ("call_id", "received_at"),
        ("type", "status", "duration", "date"),
        ("phone", "diversion", "user"),
        "link",
        ("state", "error", "kept_until"),
        "left_out",
        "outgoing_calls",
    )
    readonly_fields = ("left_out", "outgoing_calls")
    list_filter = ("state", "type")
    search_fields = ("=call_id", "=chain__altegio_id", "=location__altegio_id")
    search_help_text = _("The whole call id, or Altegio's id of the chain or location.")
    list_select_related = ("chain", "location")
    linked_lookups = ("location__id__exact", "chain__id__exact")
    ordering = ("-pk",)
    actions = ("send_again",)

    @admin.display(description=_("location or chain"))
    def place(self, call: PhoneCall) -> str:
        return str(call.location or call.chain)

    @admin.display(description=_("call"))
    def parties(self, call: PhoneCall) -> str:
        return " · ".join(filter(None, (str(call), call.get_type_display(), call.get_status_display())))

    @admin.display(description=_("why not, or what was left out"))
    def remark(self, call: PhoneCall) -> str:
        return call.remark or "–"

    @admin.display(description=_("left out"))
    def left_out(self, call: PhoneCall) -> SafeString | str:
        return format_html_join("", "<div>{}: {}</div>", left_out_of(call.warnings)) or "–"

    @admin.display(description=_("calls to Altegio"))
    def outgoing_calls(self, call: PhoneCall) -> SafeString | str:
        keys = CallHistory.keys_of(call)
        made = OutgoingCall.objects.filter(key__in=keys).order_by("pk")
        rows = ((link_to(one, one.get_state_display()), one.reason) for one in made)
        return format_html_join("", "<div>{} {}</div>", rows) or "–"

    def is_offered(self, action: str, row: PhoneCall) -> bool:
        return row.state == PhoneCall.State.FAILED

    @confirm_action(
        _("Send refused ones again"),
        _("Calls that Altegio refused go once more, each under its call id."),
        permission="telephony.change_phonecall",
    )
    def send_again(self, _request: HttpRequest, chosen: QuerySet[PhoneCall]) -> str:
        count = sum(send_again(pk, by_staff=True) for pk in list(chosen.values_list("pk", flat=True)))
        return english_plural("%d call is on its way.", "%d calls are on their way.", count) % count


@admin.register(NotificationDay)
class NotificationDayAdmin(ReadOnlyAdmin):
    menu = Section.TELEPHONY.at(3)
    list_display = ("day", "chain", "shown", "dropped", "refused", "last_error")
    list_select_related = ("chain",)
    search_fields = ("=chain__altegio_id",)
    ordering = ("-day", "-pk")


@admin.register(PhoneLines)
class PhoneLinesAdmin(ReadOnlyAdmin):
    menu = Section.TELEPHONY.at(4)
    list_display = ("location", "country", "time_zone", "extensions")
    list_select_related = ("location",)
    search_fields = ("=location__altegio_id",)
    ordering = ("-pk",)
    fields = ("location", "country", "time_zone", "numbers")
    readonly_fields = ("numbers",)

    @admin.display(description=_("extensions"))
    def extensions(self, lines: PhoneLines) -> int:
        return len(_numbers(lines))

    @admin.display(description=_("numbers by extension"))
    def numbers(self, lines: PhoneLines) -> SafeString | str:
        return format_html_join("", "<div>{}: {}</div>", _numbers(lines)) or "–"


def _numbers(lines: PhoneLines) -> list[tuple[str, str]]:
    return sorted(lines.lines.items()) if isinstance(lines.lines, dict) else []
