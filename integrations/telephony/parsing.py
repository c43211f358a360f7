"""Pure readers for the values that telephone exchanges send: each turns one value into what Altegio is sent.

A reader raises ValueError, whose text says what to write. A call without an essential value is refused with it. A bad
optional value (recording, duration, who answered) is left out with a warning, so that no call is lost because of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from integrations.telephony.models import PhoneCall
from integrations.telephony.numbers import e164, is_extension
from partner_portal.core.clean import clean_line
from partner_portal.core.clean import read_number as read_decimal
from partner_portal.core.datetimes import LAST_YEAR, read_moment
from partner_portal.core.english import english as _
from partner_portal.core.left_out import Warnings

MAX_SECONDS = 7 * 24 * 3600
# A timestamp has at least ten digits; a number with fewer may be a date.
FIRST_SECOND, LAST_SECOND = 10**9, datetime(LAST_YEAR, 1, 1, tzinfo=UTC).timestamp()
MAX_LINK, MAX_USER, MAX_CALL_ID, MAX_LINE = 1000, 100, 200, 20

# `"Anna" <sip:+380671234567@pbx;user=phone>`, `tel:+380671234567;ext=5`
_ADDRESS = re.compile(r'(?:"[^"]*" ?|[^<"]*)<([^<>]*)>.*|(.*)', re.DOTALL)
_SCHEME = re.compile(r"(?:sips?|tel|callto):", re.IGNORECASE)
# Asterisk's channels: `SIP/101-0000a1b2`
_CHANNEL = re.compile(r"(?:SIP|PJSIP|IAX2|DAHDI|Local|SCCP)/([^-@/]+)(?:[-@/].*)?", re.IGNORECASE)
_LINE = re.compile(r"[\w.+*#-]+")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})", re.ASCII)
_HIDDEN = frozenset(
    {
        *("anonymous", "restricted", "private", "unknown", "unavailable", "withheld", "hidden", "blocked", "clir"),
        *("no caller id", "caller id blocked", "number withheld", "unknown number", "private number", "asterisk"),
        *("not available", "none", "null", "-", "?"),
        # The same words spelled on a telephone keypad, as Twilio and carriers send them.
        *("266696687", "7378742833", "8656696", "8566696", "86282452253", "2562533"),
    }
)
# The words of exchanges for an answered call, and for a missed one (docs/telephony.md has the same table).
_ANSWERED = "success|answered|answer|transfer|completed|complete|normal_clearing"
_MISSED = (
    "missed|no answer|noanswer|no-answer|no_answer|unanswered|notanswered|busy|user_busy|cancel|canceled|cancelled|"
    "originator_cancel|failed|rejected|call_rejected|timeout|no_user_response|lose_race|congestion|chanunavail|"
    "vm|vm-success|voicemail|not allowed|no money|no limit|no day limit|line limit|unallocated number"
)
_ENDS = {
    **dict.fromkeys(_ANSWERED.split("|"), PhoneCall.Status.SUCCESS.value),
    **dict.fromkeys(_MISSED.split("|"), PhoneCall.Status.MISSED.value),
}
WRITE_A_LINE = _("Write a number, best with + and the country code: +442071838750; or an extension: 101.")
WRITE_A_STATUS = _(
    "Write success or missed, or an exchange's word for one, like ANSWERED or NO ANSWER (docs/telephony.md)."
)
_MAIL_DATE = re.compile(r"[A-Z][a-z]{2}, ?\d{1,2} ")
_is_link = URLValidator(schemes=["http", "https"])


@dataclass
class ReadCall:
    """A call's values as Altegio may be sent them. `phone` is empty if the caller hides their number."""

    payload: dict[str, Any]
    warnings: Warnings = field(default_factory=list)

    @property
    def is_hidden(self) -> bool:
        return not self.payload["phone"]


def _text(value: object) -> str:
    """Return a text as it is, or a number as text; "" for anything else."""
    return str(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""


def _number(value: object) -> int | Decimal | None:
    if isinstance(value, str):
        return read_decimal(value)
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def address(value: object) -> str:
    """Return the number, extension or name in a SIP address, a telephone link or a channel, else the whole text."""
    match = _ADDRESS.fullmatch(clean_line(_text(value), 200))
    text = (match[1] or match[2] or "").strip() if match else ""
    scheme = _SCHEME.match(text)
    if scheme or "@" in text:
        text = text[scheme.end() if scheme else 0 :].partition("@")[0].partition(";")[0]
    channel = _CHANNEL.fullmatch(text)
    return channel[1] if channel else text


def is_hidden(text: str) -> bool:
    """Return whether the text is one that exchanges send for a caller with a hidden number."""
    return text.strip("<>() +").casefold() in _HIDDEN or not text.strip()


def read_client(value: object, region: str | None, *, inside: bool) -> str:
    """Return the client's number in E.164, or "" if the caller hides it; `inside` the company also an extension.

    Raises ValueError if it is neither.
    """
    text = address(value)
    if is_hidden(text) and (value in (None, "") or _text(value)):
        return ""
    return text if inside and is_extension(text) else e164(text, region)


def read_line(value: object, region: str | None, lines: Mapping[str, str]) -> tuple[str, str]:
    """Return the company's line, and a warning or "": the number in E.164, or an extension or a name as it is.

    `lines` maps extensions and names to their numbers. A name that is not in it gets a warning. Raises ValueError for
    anything else.
    """
    text = address(value)
    if text in lines:
        return lines[text], ""
    if is_extension(text):
        return text, ""
    try:
        return e164(text, region), ""
    except ValueError:
        if len(text) > MAX_LINE or not _LINE.fullmatch(text):
            raise ValueError(WRITE_A_LINE) from None
        return text, "This is neither a number nor an extension; it is sent as it is."


def read_duration(value: object) -> int:
    """Return whole seconds from a number of seconds, or from hours, minutes and seconds with colons."""
    number = _number(value)
    if isinstance(value, str) and (clock := _CLOCK.fullmatch(value.strip())):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        number = hours * 3600 + minutes * 60 + seconds
    if number is None or not 0 <= number <= MAX_SECONDS:
        raise ValueError(f"Write seconds from 0 to {MAX_SECONDS}, or hours:minutes:seconds.")
    return int(number)


def read_link(value: object) -> str:
    """Return the URL of a recording; it must be http or https with a full host name."""
    try:
        if isinstance(value, str) and len(value) <= MAX_LINK and value.isprintable():
            _is_link(value)
            return value
    except ValidationError:
        pass
    raise ValueError(f"Write an http or https address with a full host name, of at most {MAX_LINK} characters.")


def read_user(value: object) -> str:
    """Return who answered: a name, or the number of an extension."""
    text = (
        clean_line(str(value), MAX_USER + 1) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    )
    if not 1 <= len(text) <= MAX_USER:
        raise ValueError(f"Write a name of at most {MAX_USER} characters.")
    return text


def read_status(value: object) -> str:
    """Return Altegio's status, success or missed, from one of these two words or an exchange's own."""
    if not isinstance(value, str) or value.strip().casefold() not in _ENDS:
        raise ValueError(WRITE_A_STATUS)
    return _ENDS[value.strip().casefold()]


def read_date(value: object, zone: str) -> datetime:
    """Return the moment written as ISO 8601, as RFC 5322, or as (milli)seconds since 1970 of ten digits or more.

    An ISO 8601 date-time without a zone is read in `zone`.
    """
    if isinstance(value, str) and _MAIL_DATE.match(value):
        value = _read_mail_date(value)
    seconds = float(_number(value) or 0)
    if seconds < FIRST_SECOND:
        return read_moment(value, zone)
    seconds /= 1000 if seconds >= FIRST_SECOND * 1000 else 1
    if seconds > LAST_SECOND:
        raise ValueError(f"Write a year of at most {LAST_YEAR}.")
    return datetime.fromtimestamp(seconds, tz=UTC)


def _read_mail_date(text: str) -> str:
    """Convert a date like `Tue, 24 Nov 2026 12:10:00 +0000` (Twilio's) to ISO 8601; return other text unchanged."""
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, ArithmeticError):  # a year of eleven digits overflows
        return text


def read_call_id(value: object) -> str:
    """Return the exchange's call id unchanged, because different ids mean different calls; "" for spaces alone."""
    text = _text(value)
    if isinstance(value, str) and not text.strip():
        return ""
    if not 1 <= len(text) <= MAX_CALL_ID or not text.isprintable():
        raise ValueError(f"Write a text of 1 to {MAX_CALL_ID} characters.")
    return text


def read_type(value: object) -> str:
    """Return the call's direction, one of `PhoneCall.Type`."""
    if value not in PhoneCall.Type.values:
        raise ValueError(f"Write one of: {', '.join(PhoneCall.Type.values)}.")
    return str(value)


def decorate(call: ReadCall, raw: Mapping[str, Any], readers: Mapping[str, Callable[[Any], Any]]) -> None:
    """Add the optional fields that can be read to the call, and a warning for each of the others."""
    for name, read in readers.items():
        if raw.get(name) in (None, ""):
            continue
        try:
            call.payload[name] = read(raw[name])
        except (ValueError, ArithmeticError) as why:
            call.warnings.append({"field": name, "message": f"Left out. {why}"})
