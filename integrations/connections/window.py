"""The activation window (docs/altegio.md §1), and the difference allowed between the two clocks."""

from datetime import datetime, timedelta

from django.conf import settings


def activation_window() -> timedelta:
    """Return the window's length: one hour, unless ALTEGIO_ACTIVATION_WINDOW says otherwise."""
    return timedelta(seconds=settings.ALTEGIO_ACTIVATION_WINDOW)


def activation_deadline(arrived_at: datetime) -> datetime:
    """Return the end of the window that an arrival starts."""
    return arrived_at + activation_window()


def clock_tolerance() -> timedelta:
    """Return by how much Altegio's clock may differ from ours (`ALTEGIO_CLOCK_TOLERANCE`)."""
    return timedelta(seconds=settings.ALTEGIO_CLOCK_TOLERANCE)
