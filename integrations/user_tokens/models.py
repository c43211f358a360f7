"""Tokens that some of Altegio's calls require beside the partner token, and the settings read with them."""

from django.db import models

from integrations.connections.models import Application, Location
from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _
from partner_portal.core.json_field import JSONField


class ApplicationToken(models.Model):
    """The `application_token` of an application's system user, valid wherever the application is connected."""

    application = models.OneToOneField(Application, on_delete=models.CASCADE, related_name="system_token")
    token = EncryptedTextField(_("application token"))

    class Meta:
        verbose_name = _("application token")
        verbose_name_plural = _("application tokens")

    def __str__(self) -> str:
        return str(self.application)


class UserToken(models.Model):
    """An Altegio user's token for one location, set by staff, and the notification settings read with it."""

    location = models.OneToOneField(Location, on_delete=models.PROTECT, related_name="user_token")
    altegio_user_id = models.BigIntegerField(_("Altegio user"))
    token = EncryptedTextField(_("user token"))
    types = JSONField(_("notification types of the location"), null=True, editable=False)
    user_settings = JSONField(_("notification settings of the user"), null=True, editable=False)
    fetched_at = models.DateTimeField(_("fetched"), null=True, editable=False)
    error = models.CharField(_("why not"), max_length=500, blank=True, editable=False)

    class Meta:
        verbose_name = _("user token and notification settings")
        verbose_name_plural = _("user tokens and notification settings")

    def __str__(self) -> str:
        return str(self.location)
