"""Admin screen of second factors: who has one, and how to remove a lost phone."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Authenticator
from accounts.two_factor.setup import remove
from partner_portal.core.admin_base import ActionRefusedError, ReadOnlyAdmin, confirm_action
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    menu = Section.PEOPLE.at(5)
    list_display = ("user", "made_at")
    fields = ("user", "made_at")
    search_fields = ("user__email__istartswith",)
    list_select_related = ("user",)
    ordering = ("-pk",)
    actions = ("forget",)

    @confirm_action(
        _("Phone lost: remove"),
        _(
            "These people are signed out everywhere, and get an e-mail with a link to set up a new phone. Make sure "
            "that it is they who ask."
        ),
        permission="accounts.delete_authenticator",
    )
    def forget(self, request: HttpRequest, chosen: QuerySet[Authenticator]) -> str:
        if chosen.filter(user=request.user.pk).exists():
            raise ActionRefusedError(_("Change your own phone on the page “Two-factor sign-in”: it asks for a code."))
        for authenticator in chosen:
            remove(authenticator)
        return str(_("Removed. The e-mails are on their way."))
