"""The admin page of locations' people, which shows permitted staff whom to contact."""

from django.contrib import admin

from integrations.location_profiles.models import LocationPerson
from partner_portal.core.admin_base import ReadOnlyAdmin
from partner_portal.core.admin_sections import Section


@admin.register(LocationPerson)
class LocationPersonAdmin(ReadOnlyAdmin):
    menu = Section.CONNECTIONS.at(3)
    list_display = ("location", "altegio_user_id", "name", "email", "phone", "fetched_at")
    list_select_related = ("location",)
    search_fields = ("=location__altegio_id", "=altegio_user_id")
    ordering = ("-pk",)
