from django.apps import AppConfig

from partner_portal.core.english import english as _


class CoreConfig(AppConfig):
    name = "partner_portal.core"
    verbose_name = _("Queues")

    def ready(self) -> None:
        from partner_portal.core import checks  # noqa: F401 - Django's checks register themselves
