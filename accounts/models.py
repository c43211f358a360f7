"""People: a portal account, the Altegio users it is linked to, the letters it is sent, API keys."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey

from accounts.two_factor.models import Authenticator, BackupCode  # noqa: F401 - tables of this app


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with this e-mail address; addresses compare without case."""
        return self.get(email__iexact=username or "")

    def create_user(self, email: str | None, password: str | None = None, **fields: Any) -> "User":
        """A new user; without a password they sign in by a link sent to their address."""
        user = self.model(email=email or None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person: an owner of locations, or a member of the partner's staff."""

    # Altegio may send a person without an address; PostgreSQL and SQLite both allow many NULLs.
    email = models.EmailField(_("e-mail"), max_length=254, null=True, blank=True)  # noqa: DJ001
    name = models.CharField(_("name"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_without_case")]
        # The few among many that the admin's filters ask for.
        indexes = [
            models.Index(fields=["-id"], condition=models.Q(is_staff=True), name="user_staff"),
            models.Index(fields=["-id"], condition=models.Q(is_active=False), name="user_inactive"),
        ]

    def __str__(self) -> str:
        return self.email or self.name or f"#{self.pk}"


class AltegioIdentity(models.Model):
    """An Altegio user, proven by a signature, linked to one portal account (ALTEGIO.md §1)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    altegio_user_id = models.BigIntegerField(_("Altegio user"), unique=True)
    linked_at = models.DateTimeField(_("linked"), default=timezone.now)

    class Meta:
        verbose_name = _("Altegio identity")
        verbose_name_plural = _("Altegio identities")

    def __str__(self) -> str:
        return str(self.altegio_user_id)


class ApiKey(AbstractAPIKey):
    """A key of one of the partner's own systems; only its hash is stored."""

    scopes = models.JSONField(_("scopes"), default=list)

    class Meta:
        ordering = ("-created",)
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")


class Letter(models.Model):
    """An e-mail to send: a row first, made with what it tells about; rendered at the moment of sending."""

    key = models.CharField(max_length=200, unique=True)
    template = models.CharField(max_length=100)
    to = models.EmailField()
    language = models.CharField(max_length=8, blank=True)
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        indexes = [models.Index(fields=["created_at"], condition=models.Q(sent_at=None), name="letter_waiting")]

    def __str__(self) -> str:
        return f"{self.template} → {self.to}"
