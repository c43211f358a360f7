"""A `time.sleep` for processes under libfaketime, whose clock_nanosleep rejects the call that Python's own makes."""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
