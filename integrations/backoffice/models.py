"""The days that are over, counted once."""

from django.db import models
from django.utils import timezone


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
