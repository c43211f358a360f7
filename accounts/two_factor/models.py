"""A member of staff's second factor: the app on their phone, and codes on paper for when it is lost."""

import base64
import secrets
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from partner_portal.encryption import EncryptedTextField, lookup_hash

KEY_BYTES = 20
# A clock may be wrong by so many steps of 30 s.
TOLERANCE = 1
BACKUP_CODES = 8


def _new_key() -> str:
    return base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app. After a wrong code the next is looked at only after 1 s, then 2, 4, …

    django-otp's own TOTP device would keep its key in clear text.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator")
    key = EncryptedTextField(default=_new_key, editable=False)
    # The time step of the last code that was taken: none is taken twice.
    last_step = models.BigIntegerField(default=-1, editable=False)
    made_at = models.DateTimeField(_("set up"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    def __str__(self) -> str:
        return str(self.user)

    def get_throttle_factor(self) -> float:
        """The library's base for the pauses after wrong codes, in seconds."""
        return 1

    def address(self, issuer: str) -> str:
        """What the QR code says (the Key URI Format of authenticator apps)."""
        label = quote(f"{issuer}:{self.user}")
        return f"otpauth://totp/{label}?{urlencode({'secret': self.key, 'issuer': issuer})}"

    def verify_token(self, token: str) -> bool:
        """Whether this is the app's present code, or a backup code; either is taken once. Call it locked."""
        allowed, _why = self.verify_is_allowed()
        if not allowed:
            return False
        code = token.replace(" ", "").replace("-", "").lower()
        if self._takes_present(code) or self._takes_backup(code):
            self.throttle_reset(commit=False)
            self.save()
            return True
        self.throttle_increment()
        return False

    def _takes_present(self, code: str) -> bool:
        if not (code.isascii() and code.isdigit() and len(code) == 6):
            return False
        clock = TOTP(base64.b32decode(self.key))
        taken: bool = clock.verify(int(code), tolerance=TOLERANCE, min_t=self.last_step + 1)
        if taken:
            self.last_step = clock.t()
        return taken

    def _takes_backup(self, code: str) -> bool:
        unused = self.backup_codes.filter(digest=lookup_hash(code), used_at=None)
        return bool(self.confirmed) and bool(unused.update(used_at=timezone.now()) == 1)

    def renew_backup_codes(self) -> list[str]:
        """Fresh codes, to be shown this once; the old ones end."""
        codes = [secrets.token_hex(5) for _number in range(BACKUP_CODES)]
        self.backup_codes.all().delete()
        BackupCode.objects.bulk_create(BackupCode(authenticator=self, digest=lookup_hash(code)) for code in codes)
        return [f"{code[:5]}-{code[5:]}" for code in codes]

    backup_codes: Any  # the reverse of BackupCode.authenticator


class BackupCode(models.Model):
    """A code for one sign-in without the phone; only its hash is stored."""

    authenticator = models.ForeignKey(Authenticator, on_delete=models.CASCADE, related_name="backup_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authenticator", "digest"], name="one_backup_code_of_a_kind")]

    def __str__(self) -> str:
        return str(self.pk)
