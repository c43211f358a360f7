"""The admin pages that combine features: connections, outgoing calls, state changes, applications and locations."""

from django.contrib import admin

from integrations.backoffice.admin import connections, general, outgoing_calls, state_changes  # noqa: F401
from partner_portal.core.english import english as _

admin.site.site_header = _("Altegio partner portal")
admin.site.site_title = _("Partner portal")
admin.site.index_title = _("Control room")
