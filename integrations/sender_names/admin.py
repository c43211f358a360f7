"""The admin pages of sender names, where staff give, grant, refuse and withdraw them and send lists again."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.connections.installation_admin import OfInstallationAdmin
from integrations.connections.models import Connection
from integrations.sender_names.models import IN_FORCE, NameState, SenderName, SenderNameList
from integrations.sender_names.names import (
    InvalidSenderNamesError,
    give_name,
    names_of,
    refuse_name,
    sender_connection,
    tell_again,
    withdraw_name,
)
from integrations.sender_names.rules import name_problem
from partner_portal.core.admin_base import ActionRefusedError, BaseAdmin, confirm_action, link_to
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

OPERATE = "sender_names.change_sendername"


@admin.register(SenderNameList)
class SenderNameListAdmin(OfInstallationAdmin):
    menu = Section.MESSAGES.at(2)
    list_display = ("installation__location", "installation__application", "in_force", "sync_state", "sync_error")
    list_filter = ("sync_state", "installation__application")
    search_fields = ("=installation__location__altegio_id", "installation__location__title__istartswith")
    list_select_related = ("installation__application", "installation__location")
    ordering = ("-pk",)
    fields = ("application", "location", "in_force", ("sync_state", "sync_error"))
    readonly_fields = ("application", "location", "in_force")
    actions = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        in_force = SenderName.objects.filter(state__in=IN_FORCE)
        return super().get_queryset(request).prefetch_related(Prefetch("names", in_force))

    @admin.display(description=_("names in force"))
    def in_force(self, names: SenderNameList) -> str:
        return ", ".join(name.name for name in names.names.all()) or "–"

    @confirm_action(_("Send the list again"), _("Altegio gets the whole list as it is now."), permission=OPERATE)
    def send_again(self, _request: HttpRequest, chosen: QuerySet[SenderNameList]) -> str:
        for names in chosen:
            tell_again(names)
        return str(_("The lists are on their way."))


class NewNameForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' class takes a type, Django's does not
    """The form that gives a location a name; it reports each problem beside its field."""

    salon_id = forms.IntegerField(
        label=_("Altegio's location id"), min_value=1, help_text=_("The location's SMS connection gets the name.")
    )
    bought = forms.BooleanField(label=_("bought"), required=False)

    class Meta:
        model = SenderName
        fields = ("name", "valid_until")

    connection: Connection | None = None

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if problem := name_problem(name):
            raise forms.ValidationError(problem)
        return name

    def clean_salon_id(self) -> int:
        salon_id: int = self.cleaned_data["salon_id"]
        self.connection = sender_connection(salon_id)
        if self.connection is None:
            raise forms.ValidationError(_("This location has no connection that sends text messages."))
        return salon_id

    def clean(self) -> dict[str, Any]:
        """Validate and give the name. This happens here, because a refusal can still be shown on the form."""
        given = super().clean() or {}
        if not self.errors and self.connection is not None:
            try:
                self.instance = give_name(
                    names_of(self.connection),
                    given["name"],
                    bought=given["bought"],
                    valid_until=given["valid_until"],
                )
            except InvalidSenderNamesError as bad:
                raise forms.ValidationError(str(bad)) from None
        return given


@admin.register(SenderName)
class SenderNameAdmin(BaseAdmin):
    menu = Section.MESSAGES.at(1)
    list_display = ("name", "list_link", "state", "valid_until", "changed_at")
    list_filter = ("state",)
    search_fields = ("name__istartswith", "=list__installation__location__altegio_id")
    list_select_related = ("list__installation__application", "list__installation__location")
    ordering = ("-pk",)
    form = NewNameForm
    fields = ("salon_id", "name", "bought", "valid_until")
    actions = ("grant", "refuse", "withdraw")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is None else ("list", "name", "state", "valid_until", "changed_at")

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        """Do nothing, because the form's `clean` has given the name already."""

    def is_offered(self, action: str, row: SenderName) -> bool:
        return row.state in IN_FORCE if action == "withdraw" else row.state == NameState.ASKED

    @admin.display(description=_("list"))
    def list_link(self, name: SenderName) -> SafeString | str:
        return link_to(name.list)

    @confirm_action(_("Grant"), _("The chosen names, asked for by owners, go to Altegio."), permission=OPERATE)
    def grant(self, _request: HttpRequest, chosen: QuerySet[SenderName]) -> str:
        asked = list(chosen.filter(state=NameState.ASKED).select_related("list"))
        try:
            for name in asked:
                give_name(name.list, name.name, valid_until=name.valid_until)
        except InvalidSenderNamesError as bad:
            raise ActionRefusedError(str(bad)) from None
        return _done(len(asked))

    @confirm_action(_("Refuse"), _("The owners' wishes are refused; nothing is sent."), permission=OPERATE)
    def refuse(self, _request: HttpRequest, chosen: QuerySet[SenderName]) -> str:
        return _done(sum(refuse_name(name) for name in chosen))

    @confirm_action(
        _("Withdraw"),
        _(
            "The names are taken back, and Altegio gets what is left. Altegio takes no empty list: where the last "
            "name goes, nothing is sent, and Altegio keeps showing it until another name is given or the location "
            "is disconnected."
        ),
        permission=OPERATE,
    )
    def withdraw(self, _request: HttpRequest, chosen: QuerySet[SenderName]) -> str:
        return _done(sum(withdraw_name(name) for name in chosen.select_related("list")))


def _done(count: int) -> str:
    return english_plural("Done for %d name.", "Done for %d names.", count) % count
