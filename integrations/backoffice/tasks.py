"""Celery tasks of the back office."""

from celery import shared_task

from integrations.backoffice.dashboard.days import sum_ended_days
from integrations.backoffice.health import note_heartbeat


@shared_task
def sum_days() -> None:
    """Store the counts of ended days for the first page; runs now and then."""
    sum_ended_days()


@shared_task
def heartbeat() -> None:
    """Record that a worker is alive and takes tasks; runs every few seconds."""
    note_heartbeat()
