"""Models of entity webhooks as they came, and of their deliveries to consumers (docs/altegio.md §4)."""

from django.db import models
from django.utils import timezone

from partner_portal.core.english import english as _


class Event(models.Model):
    """One request to an event address, append-only: its shape is judged when it is forwarded.

    A plain table, emptied from its old end in batches (`RETENTION_EVENTS_DAYS`): partitions would serve only
    PostgreSQL, and the same code must run on SQLite.
    """

    class Flag(models.TextChoices):
        """What is odd about an event. Flagged events are forwarded like all others."""

        FOREIGN = "foreign", _("another location's")  # `company_id` is not the location of the address
        SHAPE = "shape", _("not as documented")  # no object with a `company_id`, nor a list of them

    installation = models.ForeignKey("connections.Installation", on_delete=models.CASCADE, related_name="events")
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    body = models.TextField(_("body"))
    digest = models.CharField(max_length=32)
    forwarded_at = models.DateTimeField(_("handed on"), null=True, blank=True)
    flag = models.CharField(_("flag"), max_length=8, choices=Flag.choices, blank=True)
    is_duplicate = models.BooleanField(_("came before"), default=False)

    installation_id: int

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(forwarded_at=None), name="event_waiting"),
            models.Index(fields=["digest", "received_at"], name="event_by_digest_and_time"),
            models.Index(fields=["id"], condition=~models.Q(flag=""), name="event_flagged"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Delivery(models.Model):
    """A batch of events on its way to one consumer inside the project, tried until it is taken or dead."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")  # due, or on its way until `due_at`
        DELIVERED = "delivered", _("delivered")  # the target took it
        DEAD = "dead", _("dead letter")  # every try failed: staff may send it again

    # The consumer's name.
    target = models.CharField(_("target"), max_length=60)
    application = models.ForeignKey("connections.Application", on_delete=models.CASCADE, related_name="+")
    event_ids = models.JSONField(_("events"))
    count = models.PositiveIntegerField(_("number of events"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    attempt_count = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)

    application_id: int

    class Meta:
        verbose_name = _("event delivery")
        verbose_name_plural = _("event deliveries")
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.target} · {self.count}"
