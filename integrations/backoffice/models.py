"""The days that are over, counted once; what staff note of a connection."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection
from partner_portal.core.english import english as _


class DailyCounts(models.Model):
    """What happened on one day (of UTC): `counts` holds [application's pk, what, how many] for each.

    It repeats what the state changes and arrivals say, so that the first page counts today alone. A row
    may be deleted: it is counted again.
    """

    day = models.DateField(primary_key=True)
    counts = models.JSONField(default=list)
    counted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.day)


class ConnectionNote(models.Model):
    """What a member of staff wrote of a connection, for whoever has the next call. It is never changed."""

    MAX_LENGTH = 2_000

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="notes")
    text = models.TextField(_("text"), max_length=MAX_LENGTH)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("note on a connection")
        verbose_name_plural = _("notes on connections")

    def __str__(self) -> str:
        return f"#{self.pk}"
