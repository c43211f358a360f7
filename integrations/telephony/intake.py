"""Intake of ended phone calls, one or many: each is read and stored by itself, so an invalid one stops no other.

The calls of one chain or location take a constant number of queries, however many there are.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.altegio.wire import parse_id
from integrations.telephony.call_writes import store_calls
from integrations.telephony.callers import Caller, TelephonyNotConnectedError, UnknownCallerError, caller_of
from integrations.telephony.reading import InvalidCallError, read_ended
from integrations.telephony.reported_calls import CallOutcome, ReportedCall, Result
from partner_portal.core.english import english as _

MAX_CALLS = 200

OBJECT = _("Send a JSON object.")
DIGITS = _("Write a number of 1 to 18 digits.")
NAME_A_PLACE = _("Name the chain in salon_group_id, or a location in salon_id.")
Places = dict[tuple[int | None, int | None], Caller | Result]


def take_calls(raws: Sequence[object]) -> list[Result]:
    """Store calls that an exchange reports and queue them for Altegio; return one result for each, in their order."""
    places: Places = {}
    reported = [_read(raw, places) for raw in raws]
    stored = iter(store_calls([one for one in reported if isinstance(one, ReportedCall)]))
    return [next(stored) if isinstance(one, ReportedCall) else one for one in reported]


def find_caller(raw: Mapping[str, Any], places: Places) -> Caller | Result:
    """Return the caller that a call's ids name, or a result that says why there is none; cache it in `places`."""
    named = {name: raw[name] for name in ("salon_group_id", "salon_id") if raw.get(name) not in (None, "")}
    ids = {name: parse_id(value) for name, value in named.items()}
    if wrong := [name for name, number in ids.items() if number is None]:
        return Result(CallOutcome.INVALID, problems={name: [DIGITS] for name in wrong})
    if not ids:
        name = "salon_id" if "salon_id" in raw else "salon_group_id"
        return Result(CallOutcome.INVALID, problems={name: [NAME_A_PLACE]})
    place = ids.get("salon_group_id"), ids.get("salon_id")
    if place not in places:
        places[place] = _look_up(*place)
    return places[place]


def _look_up(salon_group_id: int | None, salon_id: int | None) -> Caller | Result:
    try:
        return caller_of(salon_group_id, salon_id)
    except UnknownCallerError as unknown:
        return Result(CallOutcome.UNKNOWN_PLACE, problems={"detail": str(unknown)})
    except TelephonyNotConnectedError as why:
        return Result(CallOutcome.CONFLICT, problems={"detail": str(why)})


def _read(raw: object, places: Places) -> ReportedCall | Result:
    if not isinstance(raw, dict):
        return Result(CallOutcome.INVALID, problems={"non_field_errors": [OBJECT]})
    caller = find_caller(raw, places)
    if isinstance(caller, Result):
        return caller
    try:
        read = read_ended(raw, caller.rules)
    except InvalidCallError as bad:
        return Result(CallOutcome.INVALID, problems=bad.problems)
    call_id = read.payload.pop("call_id", "")
    return ReportedCall(caller, read.payload, read.warnings, call_id or uuid.uuid4().hex, has_own_id=bool(call_id))
