"""A call that an exchange tells in several legs under one `call_id`: a ring group, a queue, a transfer.

Pure: a leg is a dictionary of `FIELDS`.
"""

from collections.abc import Mapping
from typing import Any

from integrations.telephony.models import PhoneCall

Leg = Mapping[str, Any]
FIELDS: dict[str, Any] = {
    **dict.fromkeys(("type", "phone", "diversion", "user", "link", "status"), ""),
    **dict.fromkeys(("duration", "date")),
}
_ENDS = {PhoneCall.Status.SUCCESS: 2, "": 1, PhoneCall.Status.MISSED: 0}


def merged(known: Leg, reported: Leg) -> dict[str, Any]:
    """The better leg; of two that are equal the later one, which may be a correction.

    Answered goes before missed, with an outside caller before inside the company, then the longer talk, then the one
    with a recording. A recording and a time that the better one lacks are the other's: they are of the same call.
    """
    best, other = (reported, known) if _rank(reported) >= _rank(known) else (known, reported)
    return {**best, **{name: best[name] or other[name] for name in ("link", "date")}}


def differing(standing: Leg, reported: Leg) -> list[str]:
    """The names of what was told and does not stand so."""
    return sorted(name for name, value in reported.items() if name in FIELDS and value != standing[name])


def is_other_call(known: Leg, reported: Leg) -> bool:
    """Return whether two callers stand under one id, as after an exchange began to count anew."""
    inside = PhoneCall.Type.INTERNAL in (known["type"], reported["type"])
    return not inside and bool(known["phone"] and reported["phone"]) and known["phone"] != reported["phone"]


def _rank(leg: Leg) -> tuple[bool, int, bool, int, bool]:
    return (
        bool(leg["phone"]),
        _ENDS[leg["status"]],
        leg["type"] != PhoneCall.Type.INTERNAL,
        leg["duration"] or 0,
        bool(leg["link"]),
    )
