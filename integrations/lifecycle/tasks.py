"""Celery's door to the callbacks."""

from celery import shared_task

from integrations.lifecycle.processing import process_waiting


@shared_task
def process_callbacks() -> None:
    """Look at every stored callback."""
    process_waiting()
