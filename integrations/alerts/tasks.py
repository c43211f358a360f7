"""Celery tasks of alerts."""

from celery import shared_task

from integrations.alerts.channels import announce_alerts
from integrations.alerts.raising import mail_alerts
from integrations.alerts.receivers import clear_when_the_token_works, tell_of_mail_trouble
from integrations.alerts.window import warn_of_late_activations
from partner_portal.core.queues import run_steps


@shared_task
def alert() -> None:
    """Warn staff while there is still time, by e-mail; runs every few seconds."""
    run_steps(warn_of_late_activations, mail_alerts)


@shared_task
def follow_causes() -> None:
    """Raise and clear the alerts whose cause sends no signal; runs each minute."""
    run_steps(tell_of_mail_trouble, clear_when_the_token_works)


@shared_task
def announce() -> None:
    """Announce alerts and their ends by the addresses of `ALERT_URLS`; runs every few seconds."""
    announce_alerts()
