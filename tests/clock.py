"""Time, the only thing that these tests mock."""

from datetime import timedelta

import time_machine
from django.utils import timezone


def later(minutes: float) -> time_machine.travel:
    """Move on by so many minutes: `with later(61):`."""
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes))
