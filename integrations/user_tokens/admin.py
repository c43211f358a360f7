"""The admin pages of application tokens and user tokens, with the notification settings read by a user token."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from integrations.connections.location_field import LocationNumberField
from integrations.user_tokens.call_kinds import fetch_notification_settings
from integrations.user_tokens.models import ApplicationToken, UserToken
from partner_portal.core.admin_base import BaseAdmin, confirm_action
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _

# The field of a user's settings that holds their notification types (docs/altegio.md §2).
TYPES = "notification_types"


class UserTokenForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' class takes a type, Django's does not
    """The form of a user token, which can be set and replaced but is never shown."""

    location = LocationNumberField(label=_("Location"), help_text=_("Its number at Altegio."))
    token = forms.CharField(
        label=_("user token"),
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Kept encrypted and never shown. Leave it empty to keep the one that is set."),
    )

    class Meta:
        model = UserToken
        fields = ("location", "altegio_user_id", "token")

    def clean_token(self) -> str:
        return _valid_token(self.cleaned_data["token"] or self.instance.token)


def _valid_token(token: str) -> str:
    """Return the token if it can stand in an HTTP header. Raises ValidationError otherwise."""
    if not token or not token.isascii() or not token.isprintable():
        raise forms.ValidationError(_("Write the token of an Altegio user."))
    return token


class ApplicationTokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of an application's system user token, which can be set and replaced but is never shown."""

    token = forms.CharField(
        label=_("application token"),
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            'The application_token under "API access" of the application in Altegio\'s developer account. Kept '
            "encrypted and never shown. Leave it empty to keep the one that is set."
        ),
    )

    class Meta:
        model = ApplicationToken
        fields = ("application", "token")

    def clean_token(self) -> str:
        return _valid_token(self.cleaned_data["token"] or self.instance.token)


@admin.register(ApplicationToken)
class ApplicationTokenAdmin(BaseAdmin):
    menu = Section.INTEGRATIONS.at(7)
    list_display = ("application",)
    list_select_related = ("application",)
    ordering = ("-pk",)
    form = ApplicationTokenForm
    fields = ("application", "token")


@admin.register(UserToken)
class UserTokenAdmin(BaseAdmin):
    menu = Section.INTEGRATIONS.at(8)
    list_display = ("location", "altegio_user_id", "fetched_at", "error")
    list_select_related = ("location",)
    search_fields = ("=location__altegio_id",)
    ordering = ("-pk",)
    form = UserTokenForm
    fields = ("location", "altegio_user_id", "token", "fetched_at", "error", "types_table", "user_settings_table")
    readonly_fields = ("fetched_at", "error", "types_table", "user_settings_table")
    actions = ("fetch",)

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        fetch_notification_settings(obj)

    @admin.display(description=_("notification types of the location"))
    def types_table(self, token: UserToken) -> SafeString | str:
        return _table(token.types)

    @admin.display(description=_("notification settings of the user"))
    def user_settings_table(self, token: UserToken) -> SafeString | str:
        if not isinstance(token.user_settings, dict):
            return "–"
        rest = {name: value for name, value in token.user_settings.items() if name != TYPES}
        types = token.user_settings.get(TYPES)
        return _table([rest, *_objects(types)])

    @confirm_action(
        _("Fetch the notification settings"),
        _("Altegio is asked with the user token; the answer is shown on the entry's page."),
        permission="user_tokens.change_usertoken",
    )
    def fetch(self, _request: HttpRequest, chosen: QuerySet[UserToken]) -> str:
        for token in chosen:
            fetch_notification_settings(token)
        return str(_("Altegio is being asked."))


def _objects(types: Any) -> list[dict[str, Any]]:
    """Return the notification types as objects, because Altegio may send a type as an object or as its bare name."""
    listed = types if isinstance(types, list) else []
    return [each if isinstance(each, dict) else {"type": each} for each in listed]


def _table(rows: list[dict[str, Any]] | None) -> SafeString | str:
    """Return the objects as HTML lines, with whatever fields Altegio sent."""
    if not rows:
        return "–"
    lines = ((", ".join(f"{name}: {value}" for name, value in row.items()),) for row in rows)
    return format_html_join("", "<div>{}</div>", lines)
