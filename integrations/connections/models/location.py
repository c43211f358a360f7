"""Chain and location: what Altegio calls `salon_group` and `salon`."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from partner_portal.core.bidi import embedded
from partner_portal.core.encryption import EncryptedTextField, lookup_hash
from partner_portal.core.english import english as _


def token_hash(crm_token: str) -> str:
    """Return the hash by which a CRM token is recognised; "" for none."""
    return lookup_hash(crm_token) if crm_token else ""


class Chain(models.Model):
    """A chain of locations, as one CRM token opens it.

    Its number comes unsigned in a redirect, so it proves nothing: a redirect that names another owner's chain with a
    token of its own gets a row of its own, and an existing row never gets another token.
    """

    class Telephony(models.TextChoices):
        OFF = "off", _("off")
        ENABLING = "enabling", _("being enabled")
        ON = "on", _("on")
        DISABLING = "disabling", _("being disabled")
        FAILED = "failed", _("failed")

    altegio_id = models.BigIntegerField(_("Altegio's chain id"))
    title = models.CharField(_("title"), max_length=300, blank=True)
    crm_token = EncryptedTextField(_("CRM token"), blank=True, default="", editable=False)
    # Distinguishes the rows of one number; "" if no token came.
    crm_token_hash = models.CharField(max_length=64, default="", db_default="", editable=False)
    # If several live rows have one number: staff have found out that this one is the chain.
    is_confirmed = models.BooleanField(_("confirmed by staff"), default=False, db_default=False, editable=False)
    telephony = models.CharField(_("telephony"), max_length=10, choices=Telephony.choices, default=Telephony.OFF)
    telephony_error = models.CharField(_("telephony error"), max_length=500, blank=True)
    # When `telephony` last changed; null if that was before the time was recorded.
    telephony_since = models.DateTimeField(_("telephony since"), null=True, blank=True, editable=False)
    telephony_round = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("chain")
        verbose_name_plural = _("chains")
        constraints = [
            models.UniqueConstraint(fields=["altegio_id", "crm_token_hash"], name="a_chain_once_with_a_token"),
            models.UniqueConstraint(
                fields=["altegio_id"], condition=models.Q(is_confirmed=True), name="one_confirmed_chain_of_a_number"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(telephony__in=("enabling", "disabling")),
                name="chain_being_switched",
            )
        ]

    def __str__(self) -> str:
        return embedded(self.title) or f"#{self.altegio_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.crm_token_hash = token_hash(self.crm_token)
        super().save(*args, **kwargs)


class Location(models.Model):
    """One salon or clinic. Its data is Altegio's (connected-locations call), fetched after activation."""

    altegio_id = models.BigIntegerField(_("Altegio's location id"), unique=True)
    chain = models.ForeignKey(Chain, on_delete=models.SET_NULL, null=True, blank=True, related_name="locations")
    title = models.CharField(_("title"), max_length=300, blank=True)
    public_title = models.CharField(_("public title"), max_length=300, blank=True)
    phone = models.CharField(_("phone"), max_length=100, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    country = models.CharField(_("country"), max_length=100, blank=True)
    city = models.CharField(_("city"), max_length=200, blank=True)
    address = models.CharField(_("address"), max_length=500, blank=True)
    timezone_name = models.CharField(_("time zone"), max_length=100, blank=True)
    # A fact about the location itself, not about a connection; null until Altegio has sent it.
    in_business = models.BooleanField(_("in business"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    fetched_at = models.DateTimeField(_("data fetched"), null=True, blank=True)

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")

    def __str__(self) -> str:
        return f"{embedded(self.title)} (#{self.altegio_id})" if self.title else f"#{self.altegio_id}"


def reconnect_url(salon_id: int, application_id: int) -> str:
    """Return the address where the owner presses Connect again (docs/altegio.md §1)."""
    return f"{settings.ALTEGIO_APP_URL}/appstore/{salon_id}/applications/{application_id}/info"
