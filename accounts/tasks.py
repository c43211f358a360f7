"""Celery's doors to the e-mails."""

from celery import shared_task

from accounts import notifications
from accounts.emails import send_waiting_emails


@shared_task
def send_emails() -> None:
    """Send every waiting e-mail."""
    send_waiting_emails()


@shared_task
def send_digests() -> None:
    """Every few seconds: write the e-mails about what has happened to people's things."""
    notifications.send_digests()
