"""The base of admin pages for rows of an installation, which shows its application and location as columns."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString

from partner_portal.core.admin_base import ReadOnlyAdmin, link_to
from partner_portal.core.english import english as _


class OfInstallationAdmin(ReadOnlyAdmin):
    readonly_fields: ClassVar[tuple[str, ...]] = ("application", "location")

    @admin.display(description=_("application"))
    def application(self, row: Any) -> SafeString | str:
        return link_to(row.installation.application)

    @admin.display(description=_("location"))
    def location(self, row: Any) -> SafeString | str:
        return link_to(row.installation.location)
