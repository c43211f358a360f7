from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import (  # noqa: F401 - they register themselves
            addresses,
            languages,
            metrics,
            openapi,
            personal_data,
            retention,
            sessions,
            watch,
        )
        from accounts.roles import bring_groups_up_to_date

        # The last app with tables: by then every permission has been made.
        post_migrate.connect(bring_groups_up_to_date, sender=apps.get_app_config("sessions"))
