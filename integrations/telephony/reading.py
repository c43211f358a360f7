"""Validation of a call as an exchange reports it: essential fields must be right, other bad ones are left out."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from integrations.telephony import parsing
from integrations.telephony.models import PhoneCall
from integrations.telephony.parsing import ReadCall, decorate
from integrations.telephony.reading_rules import ReadingRules
from partner_portal.core.english import english as _
from partner_portal.core.left_out import shortened

HIDDEN = _("The caller hides the number: the call is kept here and not told to Altegio.")
NO_SUCH_FIELD = _("Left out. There is no such field.")
RINGING = frozenset({"salon_group_id", "salon_id", "phone", "diversion", "user", "call_id"})
ENDED = RINGING | {"type", "duration", "link", "status", "date"}
NEEDED_RINGING = ("phone", "diversion")
NEEDED_ENDED = ("type", *NEEDED_RINGING)
Problems = dict[str, list[str]]


class InvalidCallError(ValueError):
    """Raised when an essential field is missing or wrong; `problems` says for each field what to write."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("This call cannot be taken.")
        self.problems = problems


def read_ended(raw: Mapping[str, Any], rules: ReadingRules) -> ReadCall:
    """Return an ended call, read from an exchange's fields. Raises InvalidCallError."""
    call, problems = ReadCall({}), Problems()
    kind = _needed(raw, "type", parsing.read_type, problems)
    _read_parties(call, raw, rules, problems, inside=kind == PhoneCall.Type.INTERNAL)
    if raw.get("call_id") not in (None, ""):
        call.payload["call_id"] = _needed(raw, "call_id", parsing.read_call_id, problems)
    if problems:
        raise InvalidCallError(problems)
    call.payload["type"] = kind
    readers = {"user": parsing.read_user, "duration": parsing.read_duration, "link": parsing.read_link}
    decorate(call, raw, readers | {"status": parsing.read_status})
    decorate(call, raw, {"date": partial(parsing.read_date, zone=rules.time_zone)})
    return _with_unknown_fields(call, raw, ENDED)


def read_ringing(raw: Mapping[str, Any], rules: ReadingRules) -> ReadCall:
    """Return a ringing call, read from an exchange's fields. Raises InvalidCallError."""
    call, problems = ReadCall({}), Problems()
    _read_parties(call, raw, rules, problems, inside=False)
    if problems:
        raise InvalidCallError(problems)
    decorate(call, raw, {"user": parsing.read_user, "call_id": parsing.read_call_id})
    return _with_unknown_fields(call, raw, RINGING)


def _read_parties(
    call: ReadCall, raw: Mapping[str, Any], rules: ReadingRules, problems: Problems, *, inside: bool
) -> None:
    """Read the client's number and the company's line into the call, with warnings about odd values."""
    client = partial(parsing.read_client, region=rules.region, inside=inside)
    call.payload["phone"] = _needed(raw, "phone", client, problems)
    line = _needed(raw, "diversion", partial(parsing.read_line, region=rules.region, lines=rules.lines), problems)
    if line is not None:
        call.payload["diversion"], odd = line
        call.warnings += [{"field": "diversion", "message": odd}] if odd else []
    if call.payload["phone"] == "":
        call.warnings.append({"field": "phone", "message": HIDDEN})


def _needed(raw: Mapping[str, Any], name: str, read: Callable[[Any], Any], problems: Problems) -> Any:
    """Return the value of an essential field; if it is missing or wrong, return None and say why in `problems`."""
    try:
        return read(raw[name])
    except KeyError:
        problems[name] = [_("This field is required.")]
    except ValueError as why:
        problems[name] = [str(why)]


def _with_unknown_fields(call: ReadCall, raw: Mapping[str, Any], known: frozenset[str]) -> ReadCall:
    """Warn of each unknown field, because the value under a misspelt name would be lost unnoticed."""
    unknown = [{"field": name[:100], "message": NO_SUCH_FIELD} for name in sorted(raw.keys() - known)]
    call.warnings = shortened([*call.warnings, *unknown])
    return call
