"""Parsing of the registration redirect: every form of docs/altegio.md §1, and nothing else."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from integrations.altegio.signatures import MAX_USER_DATA_BYTES, InvalidUserDataError, Person, person_from
from integrations.altegio.wire import parse_id

MAX_LOCATIONS = 5_000
# This holds 5,000 locations in the longest form, and 8 KiB of user data with every byte escaped.
MAX_QUERY_BYTES = 300_000
MAX_CRM_TOKEN = 500
# The number of locations that are stored of a refused redirect.
MAX_REMEMBERED = 50
_LIST_NAME = re.compile(r"salon_ids(\[\d*\])?")


class InvalidArrivalError(ValueError):
    """Raised when the address cannot be read; `advice` is for the owner, `str()` tells staff what was wrong."""

    def __init__(self, what: str, advice: str | Promise) -> None:
        super().__init__(what)
        self.advice = advice


_OPEN_AGAIN = _("Go back to Altegio and press Connect again.")


@dataclass(frozen=True)
class Redirect:
    """A valid registration redirect. `person` is None if no user data came."""

    salon_ids: tuple[int, ...]
    chain_id: int | None
    crm_token: str
    person: Person | None


def read_redirect(query: str, partner_token: str) -> Redirect:
    """Return the redirect in a raw query string. Raises InvalidArrivalError if it cannot be read."""
    if len(query) > MAX_QUERY_BYTES:
        raise InvalidArrivalError("The address is too long.", _("Connect fewer locations at a time, at most 5,000."))
    pairs = _pairs(query)
    return Redirect(
        salon_ids=_salon_ids(pairs),
        chain_id=_chain_id(pairs),
        crm_token=_crm_token(pairs),
        person=_person(pairs, partner_token),
    )


def locations_named(query: str) -> list[int]:
    """Return the locations that a refused redirect names, as far as they can be read, at most `MAX_REMEMBERED`."""
    found: dict[int, None] = {}
    for name, value in _pairs(query[:MAX_QUERY_BYTES]):
        if name == "salon_id" or name.startswith("salon_ids"):
            found.update((number, None) for part in value.split(",") if (number := parse_id(part)) is not None)
    return list(found)[:MAX_REMEMBERED]


def _pairs(query: str) -> list[tuple[str, str]]:
    # WSGI passes the query as latin-1; its unescaped characters are UTF-8.
    readable = query.encode("latin-1", "replace").decode("utf-8", "replace")
    return parse_qsl(readable, keep_blank_values=True, errors="replace")


def _salon_ids(pairs: list[tuple[str, str]]) -> tuple[int, ...]:
    found: dict[int, None] = {}
    for name, value in pairs:
        if name == "salon_id":
            found[_id(value)] = None
        elif name.startswith("salon_ids"):
            if not _LIST_NAME.fullmatch(name):
                raise InvalidArrivalError("A list of locations has an unknown form.", _OPEN_AGAIN)
            found.update((_id(part), None) for part in value.split(","))
    if not found:
        raise InvalidArrivalError(
            "No location in the address.",
            _("This page is opened from Altegio: choose the integration there and press Connect."),
        )
    if len(found) > MAX_LOCATIONS:
        raise InvalidArrivalError("Too many locations.", _("Connect fewer locations at a time, at most 5,000."))
    return tuple(found)


def _id(text: str) -> int:
    number = parse_id(text)
    if number is None:
        raise InvalidArrivalError("A location or chain id is not a number of 1 to 18 digits.", _OPEN_AGAIN)
    return number


def _values(pairs: list[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in pairs if key == name]


def _only_value(pairs: list[tuple[str, str]], name: str) -> str | None:
    values = set(_values(pairs, name))
    if len(values) > 1:
        raise InvalidArrivalError(f"{name} stands in the address with two values.", _OPEN_AGAIN)
    return values.pop() if values else None


def _chain_id(pairs: list[tuple[str, str]]) -> int | None:
    value = _only_value(pairs, "salon_group_id")
    return None if value is None else _id(value)


def _crm_token(pairs: list[tuple[str, str]]) -> str:
    value = _only_value(pairs, "crm_token") or ""
    if len(value) > MAX_CRM_TOKEN or not value.isprintable():
        raise InvalidArrivalError("crm_token is too long or holds unprintable characters.", _OPEN_AGAIN)
    return value


def _person(pairs: list[tuple[str, str]], partner_token: str) -> Person | None:
    data, signs = _values(pairs, "user_data"), _values(pairs, "user_data_sign")
    if not data and not signs:
        return None
    if len(data) != 1 or len(signs) != 1:
        raise InvalidArrivalError("user_data and user_data_sign must each stand in the address once.", _OPEN_AGAIN)
    if len(data[0].encode("utf-8", "replace")) > MAX_USER_DATA_BYTES:
        raise InvalidArrivalError("The user data is larger than 8 KiB.", _OPEN_AGAIN)
    try:
        return person_from(data[0], signs[0], partner_token)
    except InvalidUserDataError as error:
        raise InvalidArrivalError(str(error), _OPEN_AGAIN) from None
