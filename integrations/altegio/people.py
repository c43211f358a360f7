"""Answers of the calls with a user token about a location and its people (docs/altegio.md §2)."""

from dataclasses import dataclass
from typing import Any

from integrations.altegio.answers import Answer, read_list
from integrations.altegio.wire import parse_id
from partner_portal.core.clean import clean_line

# The access right that Altegio requires for connecting an application.
MANAGES_USERS = "edit_users_access"
_COMPANY = {
    "title": 300,
    "public_title": 300,
    "country": 100,
    "city": 200,
    "address": 500,
    "email": 254,
}


@dataclass(frozen=True)
class RemotePerson:
    """A person who may manage a location's users; missing values are ""."""

    altegio_user_id: int
    name: str
    email: str
    phone: str


def read_company(answer: Answer) -> dict[str, str]:
    """Return the location's fields as texts, by our names for them; what cannot be read is ""."""
    data = answer.data if isinstance(answer.data, dict) else {}
    phones = data.get("phones")
    phone = phones[0] if isinstance(phones, list) and phones else data.get("phone")
    return {
        **{name: _text(data.get(name), most) for name, most in _COMPANY.items()},
        "phone": _text(phone, 100),
        "timezone_name": _text(data.get("timezone_name") or data.get("timezone"), 100),
        "currency": _text(_currency(data), 20),
    }


def read_people(answer: Answer) -> list[RemotePerson]:
    """Return the people who may manage users, each id once; entries without a readable id are left out."""
    people = {
        user_id: RemotePerson(
            user_id,
            _text(entry.get("name") or entry.get("firstname"), 200),
            _text(entry.get("email"), 254),
            _text(entry.get("phone"), 100),
        )
        for entry in read_list(answer)
        if (user_id := parse_id(entry.get("id"))) is not None and _manages_users(entry.get("access"))
    }
    return list(people.values())


def _manages_users(access: Any) -> bool:
    return isinstance(access, dict) and access.get(MANAGES_USERS) in (True, 1, "1", "true")


def _currency(data: dict[str, Any]) -> Any:
    """Return the currency, which Altegio writes as a short title, or as an object that holds one."""
    currency = data.get("currency_short_title") or data.get("currency")
    return currency.get("iso") or currency.get("title") if isinstance(currency, dict) else currency


def _text(value: Any, most: int) -> str:
    return clean_line(str(value), most) if isinstance(value, str | int) and not isinstance(value, bool) else ""
