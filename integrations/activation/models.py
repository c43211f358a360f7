"""Whether Altegio took the settings that were sent with an activation."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection
from partner_portal.core.english import english as _


class TakenSettings(models.Model):
    """Altegio's record of one connection's API key and event address (`special_settings` of the status)."""

    class State(models.TextChoices):
        TAKEN = "taken", _("taken")  # Altegio recorded what was sent
        DIFFERENT = "different", _("not as they were sent")  # `missing` names what it did not record
        NOT_SENT = "not_sent", _("never sent")  # active at the grant: Altegio took no activation

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="taken_settings")
    state = models.CharField(_("settings of the activation"), max_length=9, choices=State.choices)
    missing = models.CharField(_("not taken"), max_length=200, blank=True)
    since = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("settings that Altegio took")
        verbose_name_plural = _("settings that Altegio took")

    def __str__(self) -> str:
        return f"{self.connection}: {self.get_state_display()}"
