"""Models that all apps share: failed items of queues, the ends of feeds, and exports by staff."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from partner_portal.core.english import english as _


class FailedItem(models.Model):
    """An item of a queue that failed: it is set aside until `due_at`, and in the end becomes a dead letter for staff.

    Most items never fail, so this is a separate table and costs the queues' own tables no column.
    """

    queue = models.CharField(_("queue"), max_length=60)
    # The key of the row in the queue's own table.
    item = models.BigIntegerField(_("item"))
    failures = models.PositiveIntegerField(_("failures"), default=1)
    error = models.CharField(_("error"), max_length=300, blank=True)
    first_failed_at = models.DateTimeField(_("failed first"), default=timezone.now)
    failed_at = models.DateTimeField(_("failed last"), default=timezone.now)
    due_at = models.DateTimeField(_("next try"), default=timezone.now)
    # If set, the portal no longer tries the item by itself: staff decide.
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
    """The last position assigned in a feed. Its row lock lets only one process assign positions at a time."""

    name = models.CharField(max_length=80, unique=True)
    last_position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last_position}"


class ListExport(models.Model):
    """An export of a list as a file by staff. The row is made before the first byte and updated during the download.

    The permission to add a row is the permission to export; nobody changes a row by hand.
    """

    class Outcome(models.TextChoices):
        RUNNING = "running", _("on its way")  # rows are still being read
        WHOLE = "whole", _("whole")  # every row was handed to the connection
        BROKEN_OFF = "broken_off", _("broken off")  # the reader left, or the portal stopped

    # An export that recorded no end counts as broken off this long after its last page.
    IDLE = timedelta(minutes=5)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="list_exports",
        verbose_name=_("by"),
    )
    # The value by which the page that started the export finds it.
    ticket = models.CharField(max_length=40, blank=True)
    list_name = models.CharField(_("list"), max_length=100)
    # As in the list's URL, but without the search term, which may be a person's name.
    filters = models.CharField(_("filters"), max_length=300, blank=True)
    is_searched = models.BooleanField(_("narrowed by a search"), default=False)
    total = models.PositiveBigIntegerField(_("rows in the list"))
    # An upper limit: it includes rows that were still buffered when a reader left.
    handed_out = models.PositiveBigIntegerField(_("rows handed out"), default=0)
    started_at = models.DateTimeField(_("begun"), default=timezone.now)
    moved_at = models.DateTimeField(_("last rows"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    is_whole = models.BooleanField(_("whole"), default=False)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [models.Index(fields=["user", "ticket"], name="list_export_by_ticket")]

    def __str__(self) -> str:
        narrowed = " & ".join(filter(None, (self.filters, _("a search") if self.is_searched else "")))
        return f"{self.list_name}: {self.total:,} rows" + (f" ({narrowed})" if narrowed else "")

    @property
    def outcome(self) -> Outcome:
        """The state of the export: running, whole or broken off."""
        if self.is_whole:
            return self.Outcome.WHOLE
        is_over = self.ended_at is not None or self.moved_at < timezone.now() - self.IDLE
        return self.Outcome.BROKEN_OFF if is_over else self.Outcome.RUNNING
