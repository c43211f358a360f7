"""Time, which is all that these tests mock."""

from datetime import timedelta

import time_machine
from django.utils import timezone


def later(minutes: float) -> time_machine.travel:
    """`with later(61):` so many minutes from now."""
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes))
