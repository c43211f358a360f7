"""Celery tasks of sender names."""

from celery import shared_task

from integrations.sender_names.names import withdraw_run_out


@shared_task
def withdraw_expired() -> None:
    """Withdraw the sender names whose validity has ended; runs each minute."""
    withdraw_run_out()
