"""Celery tasks of location profiles."""

from celery import shared_task

from integrations.location_profiles.refresh import refresh_profiles


@shared_task
def refresh() -> None:
    """Fetch the location profiles that are due; runs each hour."""
    refresh_profiles()
