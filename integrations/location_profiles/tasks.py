"""Celery's door to the location profiles."""

from celery import shared_task

from integrations.location_profiles.refresh import refresh_profiles


@shared_task
def refresh() -> None:
    """Every hour: look again at the locations whose turn it is."""
    refresh_profiles()
