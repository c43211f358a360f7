"""Celery task for callbacks."""

from celery import shared_task

from integrations.lifecycle.processing import process_waiting


@shared_task
def process_callbacks() -> None:
    """Process every stored callback that waits."""
    process_waiting()
