"""A member of staff's second factor: the app on their phone, and codes on paper for when it is lost."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin

from accounts.two_factor.codes import new_key
from partner_portal.encryption import EncryptedTextField


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app whose first code has come: there is no row of one that is still being set up.

    After a wrong code the next is looked at only after 1 s, then 2, 4, … django-otp's own TOTP device would keep
    its key in clear text.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator")
    key = EncryptedTextField(default=new_key, editable=False)
    # The time step of the last code that was taken: none is taken twice.
    last_step = models.BigIntegerField(default=-1, editable=False)
    made_at = models.DateTimeField(_("set up"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    def __str__(self) -> str:
        """Without the person's name: the admin's history keeps it when the phone is gone, and they are erased."""
        return f"#{self.user_id}"

    def get_throttle_factor(self) -> float:
        """The library's base for the pauses after wrong codes, in seconds."""
        return 1

    backup_codes: Any  # the reverse of BackupCode.authenticator


class BackupCode(models.Model):
    """A code for one sign-in without the phone; it is hashed like a password."""

    authenticator = models.ForeignKey(Authenticator, on_delete=models.CASCADE, related_name="backup_codes")
    # The code begins with it, so that one hash is checked and not all of them.
    number = models.PositiveSmallIntegerField(db_default=0)
    digest = models.CharField(max_length=128)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authenticator", "number"], name="one_backup_code_a_number")]

    def __str__(self) -> str:
        return str(self.pk)
