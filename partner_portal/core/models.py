"""What the queues and the feeds share: the items that a step could not handle, and where each feed ends."""

from django.db import models
from django.utils import timezone

from partner_portal.core.english import english as _


class FailedItem(models.Model):
    """One item of a queue that failed: set aside until `due_at`, and in the end a dead letter for staff.

    Most items never fail, so that this stands beside the queues' own tables and costs them no column.
    """

    queue = models.CharField(_("queue"), max_length=60)
    # The key of the row in the queue's own table.
    item = models.BigIntegerField(_("item"))
    failures = models.PositiveIntegerField(_("failures"), default=1)
    error = models.CharField(_("error"), max_length=300, blank=True)
    first_failed_at = models.DateTimeField(_("failed first"), default=timezone.now)
    failed_at = models.DateTimeField(_("failed last"), default=timezone.now)
    due_at = models.DateTimeField(_("next try"), default=timezone.now)
    # Not tried any more by itself: staff decide.
    dead_at = models.DateTimeField(_("given up"), null=True, blank=True)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        constraints = [models.UniqueConstraint(fields=["queue", "item"], name="one_failure_record_of_an_item")]
        indexes = [
            models.Index(fields=["queue", "due_at"], name="failed_item_resting"),
            models.Index(fields=["-id"], condition=models.Q(dead_at__isnull=False), name="failed_item_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} #{self.item}"


class FeedEnd(models.Model):
    """The last position given in the feed of this name. Its lock lets one process give positions at a time."""

    name = models.CharField(max_length=80, unique=True)
    last_position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last_position}"
