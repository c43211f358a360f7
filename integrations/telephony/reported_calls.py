"""What passes between whoever is told of calls and the table: a call that was read, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from integrations.telephony.callers import Caller
from integrations.telephony.models import PhoneCall
from integrations.telephony.parsing import Warnings


class Verdict(Enum):
    """What became of a call that was told."""

    TAKEN = "taken"  # new, or sent anew
    KNOWN = "known"  # told before; nothing more is sent
    INVALID = "invalid"
    UNKNOWN_PLACE = "unknown place"
    CONFLICT = "conflict"  # with what stands, or the chain cannot be told of its calls now


@dataclass(frozen=True)
class Result:
    """What became of one call; `problems` by field, or under `detail` about the whole."""

    verdict: Verdict
    call: PhoneCall | None = None
    warnings: Warnings = field(default_factory=list)
    problems: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportedCall:
    """A call that was read, and whose it is."""

    caller: Caller
    content: Mapping[str, Any]
    warnings: Warnings
    call_id: str
    has_own_id: bool  # the exchange gave it

    @property
    def key(self) -> tuple[int, str]:
        return self.caller.chain.pk, self.call_id
