"""The model of the keys that sign hand-over tokens."""

from django.db import models
from django.utils import timezone

from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _
from partner_portal.core.json_field import JSONField


class SigningKey(models.Model):
    """A key pair (ES256), served from when it is made; it signs from `signs_from` until its successor does."""

    # Unique and counted up, so that two processes that make the next key at once make one.
    generation = models.PositiveIntegerField(unique=True)
    kid = models.CharField(_("name"), max_length=64, unique=True)
    private_key = EncryptedTextField()
    public_jwk = JSONField()
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    signs_from = models.DateTimeField(_("signs from"), default=timezone.now)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")

    def __str__(self) -> str:
        return self.kid
