"""Second factors in the control room: who has one, and the way back for who lost the phone."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.two_factor.models import Authenticator
from accounts.two_factor.rules import forget_factor
from partner_portal.control_room import EvidenceAdmin, confirmed


@admin.register(Authenticator)
class AuthenticatorAdmin(EvidenceAdmin):
    list_display = ("user", "confirmed", "made_at")
    fields = ("user", "confirmed", "made_at")
    search_fields = ("user__email__istartswith",)
    list_select_related = ("user",)
    ordering = ("-pk",)
    actions = ("forget",)

    @confirmed(
        _("Phone lost: remove"),
        _("These people set up a new phone at their next sign-in. Make sure that it is they who ask."),
        permission="accounts.delete_authenticator",
    )
    def forget(self, _request: HttpRequest, chosen: QuerySet[Authenticator]) -> str:
        for authenticator in chosen:
            forget_factor(authenticator)
        return str(_("Removed."))
