"""What Celery finds of the marketplace, and the alarms' door."""

from celery import shared_task

from integrations.alarms.raising import mail_alarms
from integrations.alarms.window import warn_of_late_activations
from integrations.outbox.tasks import pump, sweep


@shared_task
def watch() -> None:
    """Every few seconds: warn staff while there is still time."""
    warn_of_late_activations()
    mail_alarms()


__all__ = ["pump", "sweep", "watch"]
