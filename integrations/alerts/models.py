"""Models of alerts: what staff must know while there is still time."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from partner_portal.core.english import english as _


class AlertQuerySet(models.QuerySet["Alert"]):
    """A query set of alerts, by what is to be done about them."""

    def open(self) -> "AlertQuerySet":
        """Return alerts that nobody has cleared and whose cause has not ended."""
        return self.filter(cleared_at=None)

    def to_do(self, now: datetime) -> "AlertQuerySet":
        """Return alerts that are open and not put off."""
        return self.open().filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))


class Alert(models.Model):
    """One thing that needs a person; of each `key` at most one is open. Once cleared, it may come again."""

    class Kind(models.TextChoices):
        WINDOW = "window", _("activation running out of time")
        TOKEN = "token", _("Altegio refuses the partner token")  # a name, no secret
        CONFLICT = "conflict", _("two people claim a location")
        REVIEW = "review", _("a location to be reviewed")
        CALL = "call", _("a call that failed for good")
        SETTINGS = "settings", _("settings that Altegio did not take")
        ENDED = "ended", _("a location disconnected")
        UNKNOWN = "unknown", _("connected at Altegio, not here")
        EVENTS = "events", _("events that could not be handed on")
        MAIL = "mail", _("e-mails cannot be sent")
        DEAD = "dead", _("an item that a worker could not handle")
        MESSAGES = "messages", _("messages that nobody sends")
        WATCH = "watch", _("something that nothing waited for")

    key = models.CharField(max_length=200)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    text = models.CharField(_("what happened"), max_length=500)
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="alerts"
    )
    raised_at = models.DateTimeField(_("raised"), default=timezone.now)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    cleared_at = models.DateTimeField(_("cleared"), null=True, blank=True)
    # Who sees to it, until when it is put off, and what staff have found out.
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("seen to by"),
    )
    snoozed_until = models.DateTimeField(_("put off until"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True, default="", db_default="", max_length=2000)
    # When its beginning and its end were announced by `ALERT_URLS`.
    announced_at = models.DateTimeField(null=True, blank=True, editable=False)
    end_announced_at = models.DateTimeField(null=True, blank=True, editable=False)

    assignee_id: int | None

    objects: ClassVar = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(cleared_at=None), name="one_open_alert_of_a_key"
            )
        ]
        indexes = [
            models.Index(fields=["-raised_at"], condition=models.Q(cleared_at=None), name="alert_open"),
            models.Index(
                fields=["id"],
                condition=models.Q(cleared_at__isnull=False, announced_at__isnull=False, end_announced_at=None),
                name="alert_end_to_be_told",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class AlertChannels(models.Model):
    """The single row of when `ALERT_URLS` may be used next, and until when nothing at all is announced.

    Its lock lets one process send at a time.
    """

    rests_until = models.DateTimeField(null=True, blank=True)
    # Staff are at work on the portal: alerts are stored, and announced afterwards if they are still open.
    quiet_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"rests until {self.rests_until}"
