"""Callback: a lifecycle callback as it came, without its secrets (docs/altegio.md §4)."""

from django.db import models
from django.utils import timezone

from partner_portal.core.english import english as _


class Callback(models.Model):
    """One lifecycle callback. It is a hint, never the truth: Altegio's status decides."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")  # stored, not looked at yet
        ASKED = "asked", _("Altegio is asked")  # the status call is queued
        CONFIRMED = "confirmed", _("confirmed")  # Altegio's status agrees
        CONTRADICTED = "contradicted", _("Altegio says otherwise")  # late, duplicate, or ahead of its status
        KEPT = "kept", _("kept")  # unknown event, application or location: nothing to do
        FAILED = "failed", _("failed")  # the portal could not process it; `note` says why

    received_at = models.DateTimeField(_("received"), default=timezone.now)
    event = models.CharField(_("event"), max_length=60)
    salon_id = models.BigIntegerField(_("Altegio's location id"))
    application_altegio_id = models.BigIntegerField(_("Altegio's application id"))
    body = models.TextField(_("body"))  # JSON in ASCII, without `partner_token` and `sign`
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.WAITING)
    note = models.CharField(_("note"), max_length=300, blank=True)
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.SET_NULL, null=True, blank=True, related_name="callbacks"
    )
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True)

    connection_id: int | None

    class Meta:
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state="waiting"), name="callback_waiting"),
            models.Index(
                fields=["connection"], condition=models.Q(state__in=("asked", "contradicted")), name="callback_open"
            ),
            models.Index(fields=["salon_id", "-id"], name="callback_by_location"),
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.salon_id}"
