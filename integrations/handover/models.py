"""The keys that hand-over tokens are signed with."""

from django.db import models
from django.utils import timezone

from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _
from partner_portal.core.json_field import JSONField


class SigningKey(models.Model):
    """A key pair (ES256). It is served from when it is made, and signs from `signs_from` until its successor does."""

    # One after the other: two processes that make the same one at once make one.
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
