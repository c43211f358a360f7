"""Calls told to Altegio: saved ones, and how the notifications of each day went."""

from django.db import models
from django.utils import timezone

from integrations.connections.models import Chain
from partner_portal.core.english import english as _


class PhoneCall(models.Model):
    """A call for Altegio's call history. Never lost, never doubled."""

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
        FAILED = "failed", _("refused")
        KEPT = "kept", _("kept here: the caller hides")

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="phone_calls")
    # Ours where the telephone exchange gives none: Altegio recognises a call by it.
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
    attempt_count = models.PositiveSmallIntegerField(default=1, editable=False)
    received_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        verbose_name = _("saved call")
        verbose_name_plural = _("saved calls")
        constraints = [models.UniqueConstraint(fields=["chain", "call_id"], name="a_call_once_in_a_chain")]
        indexes = [models.Index(fields=["state", "-id"], name="saved_call_by_state")]

    def __str__(self) -> str:
        return f"{self.phone} → {self.diversion}"


class NotificationDay(models.Model):
    """How a chain's call notifications of one day (UTC) went."""

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
