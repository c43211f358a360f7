"""The activation window: how long after an arrival Altegio takes the activation (docs/altegio.md §1)."""

from datetime import datetime, timedelta

from django.conf import settings


def activation_window() -> timedelta:
    """Its length: one hour, unless ALTEGIO_ACTIVATION_WINDOW says otherwise."""
    return timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW)


def activation_deadline(arrived_at: datetime) -> datetime:
    """The end of the window that an arrival starts."""
    return arrived_at + activation_window()
