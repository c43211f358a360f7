"""For processes under libfaketime: its clock_nanosleep refuses what Python's sleep asks of the real clock."""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
