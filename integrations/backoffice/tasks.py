"""Celery's doors to the back office."""

from celery import shared_task

from integrations.backoffice.dashboard.days import sum_ended_days
from integrations.backoffice.health import note_heartbeat


@shared_task
def sum_days() -> None:
    """Now and then: count for the first page what the days that are over held."""
    sum_ended_days()


@shared_task
def heartbeat() -> None:
    """Every few seconds: a worker lives and takes tasks."""
    note_heartbeat()
