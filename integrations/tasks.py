"""What Celery finds of the marketplace, and the alarms' door."""

from celery import shared_task

from integrations.alarms.raising import mail_alarms
from integrations.alarms.window import warn_of_late_activations
from integrations.dashboard.days import sum_ended_days
from integrations.outbox.tasks import pump, sweep


@shared_task
def watch() -> None:
    """Every few seconds: warn staff while there is still time."""
    warn_of_late_activations()
    mail_alarms()


@shared_task
def sum_days() -> None:
    """Now and then: count for the first page what the days that are over held."""
    sum_ended_days()


__all__ = ["pump", "sum_days", "sweep", "watch"]
