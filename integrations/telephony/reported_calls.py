"""The values exchanged between the intake of phone calls and their storage: a reported call and its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from integrations.telephony.callers import Caller
from integrations.telephony.models import PhoneCall
from partner_portal.core.left_out import Warnings


class CallOutcome(Enum):
    """The outcome for a reported call."""

    TAKEN = "taken"  # new, or sent anew
    KNOWN = "known"  # reported before; nothing more is sent
    INVALID = "invalid"
    UNKNOWN_PLACE = "unknown place"
    CONFLICT = "conflict"  # it contradicts the stored call, or the chain's calls cannot be sent now


@dataclass(frozen=True)
class Result:
    """The result for one call; `problems` holds texts by field, or under `detail` one about the whole call."""

    verdict: CallOutcome
    call: PhoneCall | None = None
    warnings: Warnings = field(default_factory=list)
    problems: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportedCall:
    """A call that was read successfully, with its caller."""

    caller: Caller
    content: Mapping[str, Any]
    warnings: Warnings
    call_id: str
    has_own_id: bool  # the exchange gave the id; else it is ours

    @property
    def key(self) -> tuple[int, str]:
        return self.caller.chain.pk, self.call_id
