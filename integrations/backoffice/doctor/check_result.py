"""The result of one of the doctor's checks."""

import enum
from dataclasses import dataclass


class Health(enum.StrEnum):
    WELL = "well"
    LOOK = "look"  # works, but somebody should look
    WRONG = "wrong"


@dataclass(frozen=True)
class CheckResult:
    """The result for one thing that was examined; `advice` says what to do and is "" if all is well."""

    what: str
    health: Health
    message: str
    advice: str = ""
