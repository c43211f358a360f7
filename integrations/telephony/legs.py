"""Legs: the several reports of one phone call under one `call_id`, from a ring group, a queue or a transfer.

The functions are pure; a leg is a dictionary of `FIELDS`.
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
    """Return the better of two legs; if they are equal, the later one, which may be a correction.

    A leg with a client's number is better than one without. Then answered is better than missed, a call with a client
    better than one inside the company, a longer talk better than a shorter, and one with a recording better than one
    without. The better leg takes a missing recording or time from the other, because both belong to one call.
    """
    best, other = (reported, known) if _rank(reported) >= _rank(known) else (known, reported)
    return {**best, **{name: best[name] or other[name] for name in ("link", "date")}}


def differing(standing: Leg, reported: Leg) -> list[str]:
    """Return the names of the reported fields that differ from the standing leg."""
    return sorted(name for name, value in reported.items() if name in FIELDS and value != standing[name])


def is_other_call(known: Leg, reported: Leg) -> bool:
    """Return whether the legs have different callers, as when an exchange starts its ids from the beginning again."""
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
