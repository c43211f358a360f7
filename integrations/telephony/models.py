"""Phone calls, the daily counts of call notifications, line settings and exchange webhooks."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from integrations.connections.models import Chain, Location
from partner_portal.core.english import english as _
from partner_portal.core.json_field import JSONField
from partner_portal.core.left_out import left_out_of


class PhoneCall(models.Model):
    """A phone call for Altegio's call history. It is never lost and never doubled."""

    class Type(models.TextChoices):
        INCOMING = "incoming", _("incoming")
        OUTGOING = "outgoing", _("outgoing")
        INTERNAL = "internal", _("internal")

    class Status(models.TextChoices):
        SUCCESS = "success", _("answered")
        MISSED = "missed", _("missed")

    class State(models.TextChoices):
        QUEUED = "queued", _("on its way")
        SAVED = "saved", _("at Altegio")
        FAILED = "failed", _("not saved")  # Altegio refused it, or gave no answer
        KEPT = "kept", _("kept here")  # the caller hides, or the chain's telephony is off; `error` says which

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="phone_calls")
    # The location that the exchange named; null if it named the chain alone.
    location = models.ForeignKey(
        Location, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="phone_calls"
    )
    # The exchange's id, or one of ours if it gives none.
    call_id = models.CharField(_("call id"), max_length=200)
    type = models.CharField(_("type"), max_length=8, choices=Type.choices)
    phone = models.CharField(_("client's number"), max_length=20, blank=True)
    diversion = models.CharField(_("called number"), max_length=20)
    user = models.CharField(_("user"), max_length=100, blank=True)
    duration = models.PositiveIntegerField(_("duration, s"), null=True, blank=True)
    link = models.CharField(_("recording"), max_length=1000, blank=True)
    status = models.CharField(_("status"), max_length=7, choices=Status.choices, blank=True)
    date = models.DateTimeField(_("time of the call"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=6, choices=State.choices, default=State.QUEUED)
    error = models.CharField(_("why not"), max_length=500, blank=True)
    # The fields that could not be forwarded: `[{"field", "message"}]`, as in the API's answer.
    warnings = JSONField(_("left out"), default=list, db_default=models.Value([], models.JSONField()), blank=True)
    # A call kept because the chain's telephony is off is sent if it is switched on before this moment.
    kept_until = models.DateTimeField(_("kept until"), null=True, blank=True, editable=False)
    # An earlier round failed without a refusal by Altegio, so Altegio may hold the call.
    is_unconfirmed = models.BooleanField(default=False, db_default=False, editable=False)
    attempt_count = models.PositiveSmallIntegerField(default=1, editable=False)
    received_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        verbose_name = _("saved call")
        verbose_name_plural = _("saved calls")
        constraints = [models.UniqueConstraint(fields=["chain", "call_id"], name="a_call_once_in_a_chain")]
        indexes = [
            models.Index(fields=["state", "-id"], name="saved_call_by_state"),
            # The first serves API requests by the exchange's id alone, the second the location's page.
            models.Index(fields=["call_id"], name="phone_call_by_call_id"),
            models.Index(fields=["location", "-id"], name="phone_call_by_location"),
            models.Index(
                fields=["kept_until"], condition=models.Q(kept_until__isnull=False), name="phone_call_kept_until"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.phone or _('hidden')} → {self.diversion}"

    @property
    def remark(self) -> str:
        """The reason why the call is not at Altegio, else the names of the fields that were left out."""
        return self.error or ", ".join(field for field, _why in left_out_of(self.warnings))


class NotificationDay(models.Model):
    """The counts of a chain's call notifications of one day (UTC)."""

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="notification_days")
    day = models.DateField(_("day"))
    shown = models.PositiveIntegerField(_("told in time"), default=0)
    dropped = models.PositiveIntegerField(_("dropped as too late"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    last_error = models.CharField(_("last refusal"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("call notifications of a day")
        verbose_name_plural = _("call notifications")
        constraints = [models.UniqueConstraint(fields=["chain", "day"], name="one_notification_day")]

    def __str__(self) -> str:
        return f"{self.chain} · {self.day}"


class PhoneLines(models.Model):
    """A location's line settings, as the partner's system has set them: how its numbers and date-times are read."""

    location = models.OneToOneField(Location, on_delete=models.CASCADE, related_name="phone_lines")
    country = models.CharField(_("country, ISO 3166"), max_length=2, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=100, blank=True)
    lines = JSONField(_("numbers by extension"), default=dict, blank=True)

    class Meta:
        verbose_name = _("lines of a location")
        verbose_name_plural = _("lines of locations")

    def __str__(self) -> str:
        return str(self.location)


class ExchangeWebhook(models.Model):
    """A webhook with an exchange's own field names, and the mapping that translates them (`exchange_mappings.py`)."""

    name = models.SlugField(_("name"), max_length=50, unique=True, help_text=_("It stands in the address."))
    location = models.ForeignKey(
        Location,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="exchange_webhooks",
        verbose_name=_("location"),
        help_text=_("Whose calls these are; without one the mapping must name salon_id."),
    )
    rings = models.BooleanField(
        _("a call that rings"), default=False, help_text=_("A call notification; else a call that has ended.")
    )
    mapping = JSONField(
        _("mapping"), default=dict, help_text=_("Our fields, each with the path to it; see docs/exchanges.md.")
    )

    class Meta:
        verbose_name = _("webhook of an exchange")
        verbose_name_plural = _("webhooks of exchanges")

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """The URL that the exchange posts to."""
        return f"{settings.PORTAL_URL}/api/v1/telephony/exchanges/{self.name}/"
