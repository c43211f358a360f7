"""Arrivals: who came from Altegio, when, and for which locations. An arrival's time starts the window."""

from django.conf import settings
from django.db import models
from django.db.models import Value
from django.utils import timezone

from partner_portal.core.encryption import EncryptedTextField
from partner_portal.core.english import english as _


class Arrival(models.Model):
    """One redirect from Altegio (docs/altegio.md §1). A return through the same link is the same arrival."""

    application = models.ForeignKey("connections.Application", on_delete=models.PROTECT, related_name="arrivals")
    arrived_at = models.DateTimeField(_("arrived"), default=timezone.now)
    deadline_at = models.DateTimeField(_("deadline"))
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    visits = models.PositiveIntegerField(_("visits"), default=1)
    salon_ids = models.JSONField(_("locations"))
    chain_id_given = models.BigIntegerField(_("chain"), null=True, blank=True)
    crm_token = EncryptedTextField(blank=True, default="", editable=False)
    salon_name = models.CharField(_("location's name as signed"), max_length=300, blank=True)
    altegio_user_id = models.BigIntegerField(_("Altegio user"), null=True, blank=True)
    # The person who claims: "u:<user>", or a provisional value until that person has signed in; "" before.
    claim = models.CharField(max_length=40, blank=True, editable=False)
    # A hash of the network that it came from; limits count by it.
    network = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="arrivals"
    )
    # The account that had the address which must be proven before this arrival is theirs (`connect/expectations.py`).
    expected_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    expected_address_hash = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    signed_up = models.BooleanField(_("by the sign-up form"), default=False)
    connections = models.ManyToManyField(
        "connections.Connection", through="connections.ArrivalLocation", related_name="arrivals"
    )
    request_id = models.CharField(max_length=32, blank=True)

    user_id: int | None
    expected_user_id: int | None

    class Meta:
        verbose_name = _("arrival")
        verbose_name_plural = _("arrivals")
        indexes = [
            models.Index(fields=["-arrived_at"], name="arrival_newest"),
            models.Index(fields=["digest", "-id"], name="arrival_by_digest"),
            models.Index(
                fields=["altegio_user_id", "-id"],
                condition=models.Q(altegio_user_id__isnull=False),
                name="arrival_by_altegio_user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.arrived_at:%Y-%m-%d %H:%M} · {len(self.salon_ids)}"


class ArrivalLocation(models.Model):
    """The connection that an arrival leads to at one of its locations."""

    arrival = models.ForeignKey(Arrival, on_delete=models.CASCADE)
    connection = models.ForeignKey("connections.Connection", on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["arrival", "connection"], name="one_arrival_at_a_connection")]

    def __str__(self) -> str:
        return f"{self.arrival_id}:{self.connection_id}"


class RefusedArrival(models.Model):
    """An arrival that could not be read: when and why. Of its content only the locations' numbers are kept."""

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    application = models.ForeignKey("connections.Application", on_delete=models.CASCADE, null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    # The numbers that could be read, for searches: an owner names the location, not the time.
    salon_ids = models.JSONField(_("locations"), default=list, db_default=Value([], models.JSONField()))

    class Meta:
        verbose_name = _("refused arrival")
        verbose_name_plural = _("refused arrivals")

    def __str__(self) -> str:
        return self.reason
