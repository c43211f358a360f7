"""Celery's doors to the letters."""

from celery import shared_task

from accounts.letters import send_waiting_letters


@shared_task
def send_letters() -> None:
    """Send every waiting letter."""
    send_waiting_letters()
