from django.contrib.admin.apps import AdminConfig


class ControlRoomConfig(AdminConfig):
    """The stock admin, on our own site."""

    default_site = "accounts.two_factor.site.StaffSite"
