"""Celery's doors to the letters."""

from celery import shared_task

from accounts.letters import send_waiting_letters
from accounts.news import tell_what_is_new


@shared_task
def send_letters() -> None:
    """Send every waiting letter."""
    send_waiting_letters()


@shared_task
def tell_news() -> None:
    """Every few seconds: write the letters about what has happened to people's things."""
    tell_what_is_new()
