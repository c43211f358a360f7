"""What the doctor says of one thing."""

import enum
from dataclasses import dataclass


class Health(enum.StrEnum):
    WELL = "well"
    LOOK = "look"  # works, but somebody should look
    WRONG = "wrong"


@dataclass(frozen=True)
class CheckResult:
    """One thing that was examined; `advice` says what to do and is "" where all is well."""

    what: str
    health: Health
    message: str
    advice: str = ""
