"""The list of connected locations, as Altegio answers it (docs/altegio.md §2, connected locations)."""

from dataclasses import dataclass
from typing import Any

from integrations.altegio.answers import Answer, line_of, objects_of
from integrations.altegio.wire import parse_id


@dataclass(frozen=True)
class RemoteLocation:
    """One of the connected locations (docs/altegio.md §2)."""

    id: int
    title: str
    public_title: str
    phone: str
    email: str
    country: str
    city: str
    timezone_name: str
    address: str
    in_business: bool | None = None  # says nothing about the connection; None if Altegio does not send it


def read_locations(answer: Answer) -> list[RemoteLocation]:
    """Return one page of the connected locations; entries without a readable id are left out."""
    return [
        RemoteLocation(
            location_id,
            **{name: line_of(entry.get(name)) for name in _LOCATION_FIELDS},
            in_business=_flag(entry.get("active")),
        )
        for entry in objects_of(answer.data)
        if (location_id := parse_id(entry.get("id"))) is not None
    ]


_LOCATION_FIELDS = ("title", "public_title", "phone", "email", "country", "city", "timezone_name", "address")


def _flag(value: Any) -> bool | None:
    return {"1": True, "true": True, "0": False, "false": False}.get(str(value).lower())
