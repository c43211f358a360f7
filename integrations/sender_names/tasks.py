"""Celery's door to the sender names."""

from celery import shared_task

from integrations.sender_names.names import withdraw_run_out


@shared_task
def withdraw_expired() -> None:
    """Each minute: withdraw the sender names whose time is over."""
    withdraw_run_out()
