"""Models of people: accounts, linked Altegio users, customers, API keys, e-mails, notifications, second factors."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy
from django_otp.models import Device, ThrottlingMixin
from rest_framework_api_key.models import AbstractAPIKey

from accounts.totp import new_key
from partner_portal.core.bidi import embedded
from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _
from partner_portal.core.external_ids import MAX_EXTERNAL_ID
from partner_portal.core.fast_insert import insert
from partner_portal.core.json_field import JSONField


class UserManager(BaseUserManager["User"]):
    def known(self) -> models.QuerySet["User"]:
        """Return accounts whose holder is known: they proved its address, or came by Altegio's signature."""
        has_identity = models.Exists(AltegioIdentity.objects.filter(user=models.OuterRef("pk")))
        return self.filter(models.Q(email_proven_at__isnull=False) | has_identity)

    def erased(self) -> models.QuerySet["User"]:
        """Return users of whom nothing personal is left (accounts/erasure.py)."""
        return self.filter(is_active=False, erased_at__isnull=False)

    def with_email(self, email: str) -> models.QuerySet["User"]:
        """Return users with this address, compared without case, as the constraint on it compares.

        `iexact` compares capitals on PostgreSQL, where ı and ſ become I and S, and so another person's address.
        """
        return self.alias(_address=Lower("email")).filter(_address=Lower(Value(email)))

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this e-mail address, compared without case."""
        return self.with_email(username or "").get()

    def create_user(self, email: str | None, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password they sign in by a link sent to their address."""
        user = self.model(email=email or None, **fields)
        user.set_password(password)
        insert([user])
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person: an owner of locations, or a member of the partner's staff."""

    # Altegio may send a person without an address; PostgreSQL and SQLite both allow many NULLs.
    email = models.EmailField(gettext_lazy("e-mail"), max_length=254, null=True, blank=True)  # noqa: DJ001
    name = models.CharField(_("name"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now, editable=False)
    # When a link sent to `email` was last opened as a proof of the address; None: it was merely typed, or reported to
    # us.
    email_proven_at = models.DateTimeField(_("address proven"), null=True, editable=False)
    # When everything personal was emptied; cleared when staff reopen the account for somebody.
    erased_at = models.DateTimeField(null=True, editable=False)
    # The terms and privacy policies that they have accepted, and when (`accounts/terms.py`).
    accepted_terms = JSONField(
        _("accepted terms"), default=list, db_default=Value([], models.JSONField()), editable=False
    )
    # An address that the owner has requested and not confirmed yet.
    pending_email = models.EmailField(_("e-mail to be confirmed"), max_length=254, null=True, editable=False)  # noqa: DJ001
    # Raising it ends every session of the person, on all devices.
    session_epoch = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_without_case")]
        # Partial indexes of the few rows that the admin's filters select.
        indexes = [
            models.Index(fields=["-id"], condition=models.Q(is_staff=True), name="user_staff"),
            models.Index(fields=["-id"], condition=models.Q(is_active=False), name="user_inactive"),
        ]

    def __str__(self) -> str:
        return self.email or embedded(self.name) or f"#{self.pk}"

    @property
    def is_erased(self) -> bool:
        """Return whether nothing personal is left (accounts/erasure.py); a merely closed account keeps its data."""
        return not self.is_active and self.erased_at is not None

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session must hold to go on; it changes with the password, the epoch and staff status."""
        stock: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        if not self.session_epoch and not self.is_staff:
            return stock
        value = f"{stock}:{self.session_epoch}:{self.is_staff}"
        return salted_hmac("accounts.session-epoch", value, secret, algorithm="sha256").hexdigest()


class AltegioIdentity(models.Model):
    """An Altegio user, proven by a signature, linked to one portal account (docs/altegio.md §1)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    altegio_user_id = models.BigIntegerField(_("Altegio user"), unique=True)
    linked_at = models.DateTimeField(_("linked"), default=timezone.now)

    class Meta:
        verbose_name = _("Altegio identity")
        verbose_name_plural = _("Altegio identities")

    def __str__(self) -> str:
        return str(self.altegio_user_id)


class CustomerManager(models.Manager["Customer"]):
    def with_email(self, email: str) -> models.QuerySet["Customer"]:
        """Return customers whom the partner knows under this address, compared without case, like accounts."""
        return self.alias(_address=Lower("email")).filter(_address=Lower(Value(email)))


class Customer(models.Model):
    """A person whom the partner knows under an id of its own, whether or not they have come through Altegio.

    `user` is their account once it is known who has it (`accounts/proofs.py`); until then the account under `email`
    waits for them.
    """

    external_id = models.CharField(_("partner's id"), max_length=MAX_EXTERNAL_ID, unique=True)
    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="customer",
        verbose_name=_("account"),
    )
    # Whether the account under the address was made for this customer; until somebody opens it, it takes the
    # customer's data.
    made_account = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    user_id: int | None

    objects: ClassVar[CustomerManager] = CustomerManager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [models.UniqueConstraint(Lower("email"), name="customer_email_without_case")]

    def __str__(self) -> str:
        return self.external_id


class ApiKey(AbstractAPIKey):
    """A key of one of the partner's own systems; only its hash is stored."""

    scopes = models.JSONField(_("scopes"), default=list)
    # Accurate to the minute, so that a key that calls often is not written at each call.
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created",)
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")


class OutgoingEmails(models.QuerySet["OutgoingEmail"]):
    def unsent(self) -> "OutgoingEmails":
        """Return e-mails that are still to go out, or were given up and wait for staff to decide."""
        return self.filter(UNSENT_EMAIL)


UNSENT_EMAIL = models.Q(sent_at=None, refused_at=None)


class OutgoingEmail(models.Model):
    """An e-mail to send: stored in the transaction of what it reports, rendered when it is sent."""

    key = models.CharField(max_length=200, unique=True)
    template = models.CharField(max_length=100)
    to = models.EmailField()
    # Known from the start, or looked up when it goes out if somebody merely typed the address.
    person = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="outgoing_emails",
        verbose_name=_("person"),
    )
    language = models.CharField(max_length=8, blank=True)
    params = JSONField(default=dict)
    # True for staff and for known people; e-mails to addresses that were merely typed take turns with them.
    goes_first = models.BooleanField(default=True, db_default=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    # When it ended because the mail server refuses an address that somebody merely typed.
    refused_at = models.DateTimeField(null=True, blank=True)
    # When staff last had it sent again after it was given up.
    resent_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    objects = OutgoingEmails.as_manager()

    class Meta:
        verbose_name = _("outgoing e-mail")
        verbose_name_plural = _("outgoing e-mails")
        indexes = [
            models.Index(fields=["created_at"], condition=UNSENT_EMAIL, name="email_unsent"),
            models.Index(
                fields=["goes_first", "attempt_count", "created_at"], condition=UNSENT_EMAIL, name="email_next"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} → {self.to}"


class Notification(models.Model):
    """Something to report to a person by e-mail; the notifications of one group go into one e-mail."""

    key = models.CharField(max_length=200, unique=True)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=30)
    group = models.CharField(max_length=60, blank=True)
    # The id of the row it is about, in the table that the kind knows.
    subject = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notifications")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index(
                fields=["kind", "person", "group"], condition=models.Q(sent_at=None), name="notification_waiting"
            ),
            models.Index(fields=["at"], name="notification_oldest"),
        ]

    def __str__(self) -> str:
        return self.key


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app whose first code has come; one that is still being set up has no row.

    After a wrong code the next is checked only after 1 s, then 2, 4, … django-otp's own TOTP device would keep its
    key in clear text.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator")
    key = EncryptedTextField(default=new_key, editable=False)
    # The time step of the last accepted code: no code is accepted twice.
    last_step = models.BigIntegerField(default=-1, editable=False)
    made_at = models.DateTimeField(_("set up"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    def __str__(self) -> str:
        """Leave the person's name out: the admin's history keeps this text when phone and person are gone."""
        return f"#{self.user_id}"

    def get_throttle_factor(self) -> float:
        """Return django-otp's base for the pauses after wrong codes, in seconds."""
        return 1

    backup_codes: Any  # the reverse of BackupCode.authenticator


class BackupCode(models.Model):
    """A code for one sign-in without the phone; it is hashed like a password."""

    authenticator = models.ForeignKey(Authenticator, on_delete=models.CASCADE, related_name="backup_codes")
    # The code begins with this number, so that only one hash must be checked.
    number = models.PositiveSmallIntegerField(db_default=0)
    digest = models.CharField(max_length=128)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["authenticator", "number"], name="one_backup_code_a_number")]

    def __str__(self) -> str:
        return str(self.pk)
