"""What Celery finds of the marketplace, and the alarms' door."""

from celery import shared_task

from integrations.alarms.raising import mail_alarms
from integrations.alarms.window import warn_of_late_activations
from integrations.outbox.tasks import pump, sweep
from integrations.sender_names.names import withdraw_run_out
from integrations.sms import retention
from integrations.sms.taking import relay_what_was_left
from integrations.sms.volumes import count_volumes


@shared_task
def watch() -> None:
    """Every few seconds: warn staff while there is still time."""
    warn_of_late_activations()
    mail_alarms()


@shared_task
def watch_sender_names() -> None:
    """Each minute: withdraw the sender names whose time is over."""
    withdraw_run_out()


@shared_task
def watch_statuses() -> None:
    """Each half minute: count what came, and relay what was left behind."""
    count_volumes()
    relay_what_was_left()


@shared_task
def delete_old_statuses() -> None:
    """Each hour: delete the message statuses whose time is over."""
    retention.delete_old_statuses()


__all__ = ["delete_old_statuses", "pump", "sweep", "watch", "watch_sender_names", "watch_statuses"]
