"""The model of a location's webhook settings at Altegio."""

from django.db import models

from integrations.connections.models import Installation
from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _


class WebhookSettings(models.Model):
    """A location's webhook settings as they were last read, and whether our event address is among its addresses.

    `content` holds the settings as JSON; it is encrypted, because other applications' addresses may be secret.
    """

    class State(models.TextChoices):
        PRESENT = "present", _("our address is there")
        MISSING = "missing", _("our address is missing")
        FAILED = "failed", _("could not be read or mended")

    installation = models.OneToOneField(Installation, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(_("state"), max_length=7, choices=State.choices)
    content = EncryptedTextField(blank=True, default="", editable=False)
    others = models.PositiveSmallIntegerField(_("addresses of others"), default=0)
    is_active = models.BooleanField(_("webhooks switched on"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    error = models.CharField(_("why not"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("webhook settings")
        verbose_name_plural = _("webhook settings")

    def __str__(self) -> str:
        return str(self.installation)
