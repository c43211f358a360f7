"""Celery tasks of e-mails and notifications."""

from celery import shared_task

from accounts import notifications
from accounts.emails import send_waiting_emails


@shared_task
def send_emails() -> None:
    """Send e-mails that wait, for as long as one round lasts."""
    send_waiting_emails()


@shared_task
def send_digests() -> None:
    """Queue the e-mails about people's notifications; runs every few seconds."""
    notifications.send_digests()
