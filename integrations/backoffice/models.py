"""The stored counts of ended days, and the notes of staff on connections."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from integrations.connections.models import Connection
from partner_portal.core.english import english as _


class DailyCounts(models.Model):
    """The counts of one day (UTC): `counts` holds a list of [application's pk, what, how many].

    They are derived from state changes and arrivals, and stored so that the first page counts only the newest days. A
    deleted row is counted again.
    """

    day = models.DateField(primary_key=True)
    counts = models.JSONField(default=list)
    counted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.day)


class ConnectionNote(models.Model):
    """A note by a member of staff on a connection, for the colleague who takes the next call. It is never changed."""

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
