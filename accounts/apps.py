from django.apps import apps
from django.db.models.signals import post_migrate

from partner_portal.core import feature
from partner_portal.core.english import english as _


class AccountsConfig(feature.FeatureConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        super().ready()
        from accounts.roles import bring_groups_up_to_date

        # `sessions` is the last app with tables: at its signal every permission has been made.
        post_migrate.connect(bring_groups_up_to_date, sender=apps.get_app_config("sessions"))
