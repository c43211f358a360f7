"""Admin screens for people: users, groups, customers, API keys, e-mails and staff's actions."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, ReadOnlyPasswordHashField, ReadOnlyPasswordHashWidget
from django.contrib.auth.forms import UserChangeForm as StockUserForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework_api_key.models import APIKey

import accounts.two_factor.admin  # noqa: F401 - registers its screen
from accounts.api_keys import MEANING
from accounts.emails import give_up, send_again
from accounts.erasure import CannotEraseError, erase_person
from accounts.models import AltegioIdentity, ApiKey, Customer, OutgoingEmail, User
from accounts.people_search import CUSTOMER_FIELDS, PEOPLE_FIELDS
from accounts.proofs import address_given, made_staff
from accounts.signals import person_changed
from accounts.two_factor.setup import can_get_link, send_link
from partner_portal.core.admin_base import ActionRefusedError, BaseAdmin, ReadOnlyAdmin, confirm_action
from partner_portal.core.admin_cells import word
from partner_portal.core.admin_secrets import ShowsNewSecret, keep_for_showing
from partner_portal.core.admin_sections import Section
from partner_portal.core.english import english as _
from partner_portal.core.english import english_plural

admin.site.unregister([APIKey, Group])


@admin.register(Group)
class GroupAdmin(BaseAdmin, StockGroupAdmin):
    """Django's group screen under the rules of the control room."""

    menu = Section.PEOPLE.at(4)


class IdentityInline(admin.StackedInline[AltegioIdentity, User]):
    model = AltegioIdentity
    extra = 0
    readonly_fields = ("altegio_user_id", "linked_at")

    def has_add_permission(self, *_args: object) -> bool:
        return False


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email", "name", "is_staff")
        field_classes: dict[str, type[forms.Field]] = {}


class NoHash(ReadOnlyPasswordHashWidget):
    """A password widget with only the button to set a new one; Django's also shows parts of the salt and the hash."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return {**super().get_context(name, value, attrs), "summary": []}


class UserForm(StockUserForm):  # type: ignore[type-arg]
    password = ReadOnlyPasswordHashField(label=StockUserForm.base_fields["password"].label, widget=NoHash)


def may_give_rights(request: HttpRequest) -> bool:
    """Return whether the user may change what groups may do; the right to change people gives no such right."""
    return request.user.has_perm("auth.change_group")


@admin.register(User)
class UserAdmin(BaseAdmin, StockUserAdmin[User]):
    menu = Section.PEOPLE.at(1)
    form = UserForm
    actions = ("erase", "send_set_up_link")
    list_display = ("email", "name", "phone", "is_staff", "is_active", "joined_at")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = PEOPLE_FIELDS
    search_help_text = _(
        "The beginning of an address or a name, a phone number, an Altegio user's number, your own id"
    )
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    ordering = ("-pk",)
    inlines = (IdentityInline,)
    add_form = NewUserForm
    readonly_fields = ("joined_at", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "phone", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "joined_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "is_staff", "usable_password", "password1", "password2")}),)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """Leave the Altegio identity out of the page for a new person, who has none yet."""
        return super().get_inlines(request, obj) if obj else ()

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a person; a new address or staff rights end what opened the account, because they prove nothing.

        Of an existing row, only the changed columns are written, because the person may change others at the same
        moment.
        """
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in User._meta.concrete_fields}.intersection(form.changed_data)
        if "is_active" in columns and obj.is_active:
            # Staff reopen the account for somebody. If it is closed again, that does not make it an erased person's.
            obj.erased_at = None
            columns.add("erased_at")
        obj.save(update_fields=columns)
        if "is_staff" in form.changed_data and obj.is_staff:
            made_staff(obj)
            messages.warning(request, _("The password that opened the owner's account has ended. Set a new one."))
        if not {"email", "name", "phone"}.isdisjoint(form.changed_data):
            person_changed.send(sender=User, user=obj)
        if "email" in form.changed_data and not obj.is_staff:
            address_given(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        given = () if may_give_rights(request) else ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *given)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Require the right to give rights for staff: setting their password or address is a way to act as them."""
        is_owner = obj is None or not (obj.is_staff or obj.is_superuser)
        return super().has_change_permission(request, obj) and (is_owner or may_give_rights(request))

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's name
        """Set the password of another user. One's own is set on the page that asks for the present one."""
        if self.get_object(request, unquote(id)) == request.user:
            return redirect("admin:password_change")
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Forbid deletion: deleting only the row would leave e-mails and numbers behind, and unbind connections."""
        return False

    def is_offered(self, action: str, row: User) -> bool:
        return can_get_link(row) if action == "send_set_up_link" else not row.is_staff

    @confirm_action(
        _("Send a set-up link"),
        _(
            "An e-mail with a link to set up two-factor sign-in goes to these members of staff. It works once, for a "
            "day, together with their password."
        ),
        permission="accounts.add_authenticator",
    )
    def send_set_up_link(self, _request: HttpRequest, chosen: QuerySet[User]) -> str:
        if unfit := [str(user) for user in chosen if not can_get_link(user)]:
            reason = _(
                "Not sent: a link is for active staff with an e-mail address who have not set up a phone yet. "
                "Others are chosen: %(people)s. A lost phone is removed under Authenticator apps."
            )
            raise ActionRefusedError(reason % {"people": ", ".join(unfit)})
        for user in chosen:
            send_link(user)
        return english_plural("%d link is on its way.", "%d links are on their way.", len(chosen)) % len(chosen)

    @confirm_action(
        _("Erase the person"),
        _(
            "E-mail address, name, phone, password, e-mails and the link to Altegio are deleted for good, and nobody "
            "can sign in to the account any more. Connections and payments stay. This cannot be undone."
        ),
        permission="accounts.delete_user",
    )
    def erase(self, _request: HttpRequest, chosen: QuerySet[User]) -> str:
        try:
            with transaction.atomic():
                for user in chosen:
                    erase_person(user)
        except CannotEraseError as reason:
            raise ActionRefusedError(str(reason)) from reason
        return english_plural("%d person is erased.", "%d people are erased.", len(chosen)) % len(chosen)


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Customers that the partner's systems have reported, by the API or a file; erasing the person removes them."""

    menu = Section.PEOPLE.at(2)
    list_display = ("external_id", "email", "name", "phone", "user", "updated_at")
    list_filter = (("user", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = CUSTOMER_FIELDS
    search_help_text = _("The partner's id, the beginning of an address or a name, or a phone number")
    quick_filters = ((_("has not come yet"), "user__isempty=1"),)
    ordering = ("-pk",)


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' class takes a type, Django's does not
    """A form for a new API key: whose it is, and what it may do."""

    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=[(scope, f"{scope}: {meaning}") for scope, meaning in MEANING.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only what the system needs: a key is not changed later, but revoked and made anew."),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expiry_date")
        help_texts = {"name": _("Whose key it is, for example: billing.")}


@admin.register(ApiKey)
class ApiKeyAdmin(ShowsNewSecret, BaseAdmin):
    """API keys of the partner's own systems: staff make, view and revoke them."""

    menu = Section.INTEGRATIONS.at(5)
    list_display = ("name", "prefix", "may", "key_state", "last_used_at", "created")
    fields = ("name", "prefix", "may", "last_used_at", "created", "expiry_date", "revoked")
    readonly_fields = ("name", "prefix", "may", "created", "last_used_at")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return NewKeyForm.Meta.fields if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return () if obj is None else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        given = {} if change else {"form": NewKeyForm}
        return super().get_form(request, obj, change, **{**given, **kwargs})

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Save the key; show a new one once on its page and store only its hash."""
        secret = "" if change else ApiKey.objects.assign_key(obj)
        super().save_model(request, obj, form, change)
        if secret:
            keep_for_showing(request, obj, secret)

    @admin.display(description=_("may"))
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description=_("state"))
    def key_state(self, key: ApiKey) -> SafeString:
        if key.revoked:
            return word("refused", _("revoked"))
        return word("expired", _("expired")) if key.has_expired else word("active", _("in force"))


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(ReadOnlyAdmin):
    menu = Section.PEOPLE.at(3)
    list_display = ("created_at", "template", "to", "sent_at", "attempt_count", "error")
    list_filter = (("sent_at", admin.EmptyFieldListFilter),)
    search_fields = ("to__istartswith",)
    quick_filters = ((_("waiting, or not deliverable"), "sent_at__isempty=1"),)
    ordering = ("-pk",)
    exclude = ("params",)
    actions = ("again", "end")

    def is_offered(self, action: str, row: OutgoingEmail) -> bool:
        return row.sent_at is None

    @confirm_action(
        _("Send again"),
        _("E-mails that were not sent are tried for another day. Sent ones stay as they are."),
        permission="accounts.change_outgoingemail",
    )
    def again(self, _request: HttpRequest, chosen: QuerySet[OutgoingEmail]) -> str:
        if not send_again(chosen.values_list("pk", flat=True)):
            raise ActionRefusedError(_("This e-mail was sent."))
        return str(_("On its way again."))

    @confirm_action(
        _("Give up"),
        _("E-mails that nobody can receive are tried no more, and alert nobody. Sent ones stay as they are."),
        permission="accounts.change_outgoingemail",
    )
    def end(self, _request: HttpRequest, chosen: QuerySet[OutgoingEmail]) -> str:
        if not give_up(chosen.values_list("pk", flat=True)):
            raise ActionRefusedError(_("This e-mail was sent or has ended."))
        return str(_("Given up."))


@admin.register(LogEntry)
class StaffActionAdmin(ReadOnlyAdmin):
    """The log of what staff did in the admin."""

    menu = Section.EVIDENCE.at(7)
    list_display = ("action_time", "user", "change_message_text", "object_link", "content_type")
    fields = ("action_time", "user", "change_message_text", "object_link", "content_type")
    search_fields = ("user__email__istartswith",)
    list_select_related = ("user", "content_type")
    ordering = ("-pk",)

    @admin.display(description=_("what"))
    def change_message_text(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()

    @admin.display(description=_("about"))
    def object_link(self, entry: LogEntry) -> str:
        url = None if entry.is_deletion() else entry.get_admin_url()
        return format_html('<a href="{}">{}</a>', url, entry.object_repr) if url else entry.object_repr
