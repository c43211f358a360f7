"""People in the control room."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import APIKey

import accounts.two_factor.admin  # noqa: F401 - registers its screen
from accounts.models import AltegioIdentity, ApiKey, Letter, User
from partner_portal.control_room import EvidenceAdmin, RoomAdmin, Uncounted
from partner_portal.search import IndexedSearch

admin.site.unregister(APIKey)


class IdentityInline(admin.TabularInline[AltegioIdentity, User]):
    model = AltegioIdentity
    extra = 0
    readonly_fields = ("altegio_user_id", "linked_at")

    def has_add_permission(self, *_args: object) -> bool:
        return False


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, type[forms.Field]] = {}


@admin.register(User)
class UserAdmin(IndexedSearch, StockUserAdmin[User]):
    paginator = Uncounted
    show_full_result_count = False
    list_display = ("email", "name", "phone", "is_staff", "is_active", "joined_at")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email__istartswith", "name__istartswith", "phone__startswith", "=identities__altegio_user_id")
    search_help_text = _("The beginning of an address, a name or a phone number, or an Altegio user's number")
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
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)


@admin.register(ApiKey)
class ApiKeyAdmin(RoomAdmin):
    """Keys are made by `manage.py create_api_key`; here they are looked at and revoked."""

    list_display = ("name", "prefix", "scopes", "created", "revoked")
    fields = ("name", "prefix", "scopes", "created", "expiry_date", "revoked")
    readonly_fields = ("name", "prefix", "scopes", "created")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Letter)
class LetterAdmin(EvidenceAdmin):
    list_display = ("created_at", "template", "to", "sent_at", "tries", "error")
    list_filter = (("sent_at", admin.EmptyFieldListFilter),)
    search_fields = ("to__istartswith",)
    everyday = ((_("waiting, or not deliverable"), "sent_at__isempty=1"),)
    ordering = ("-pk",)
    exclude = ("params",)
