from django.contrib.admin.apps import AdminConfig


class ControlRoomConfig(AdminConfig):
    """Django's admin app, on our own site."""

    default_site = "accounts.two_factor.site.StaffSite"
