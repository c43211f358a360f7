"""Whom the connection in an event's `data` names, and how each of them is taken out of it."""

from collections.abc import Callable, Collection, Mapping
from typing import Any


def account(user_id: int) -> str:
    """A person with an account of the portal's, as `NamedPerson` holds them."""
    return f"u:{user_id}"


def altegio_user(altegio_user_id: int) -> str:
    """A person at Altegio, as `NamedPerson` holds them."""
    return f"a:{altegio_user_id}"


def people_in(data: Mapping[str, Any]) -> set[str]:
    """Its owner, and the people of its location; nobody where it holds no connection."""
    shown = data.get("connection")
    if not shown:
        return set()
    named = {altegio_user(person["altegio_user_id"]) for person in shown["location"]["people"]}
    if shown["owner_id"] is not None:
        named.add(account(shown["owner_id"]))
    if shown["owner_altegio_user_id"] is not None:
        named.add(altegio_user(shown["owner_altegio_user_id"]))
    return named


def without_person(
    owners: Collection[int | None], altegio_user_ids: Collection[int]
) -> Callable[[dict[str, Any]], None]:
    """What empties the owner where it is one of `owners` or of the Altegio users, and takes out these users."""

    def leave_out(data: dict[str, Any]) -> None:
        shown = data["connection"]
        if shown["owner_id"] in owners or shown.get("owner_altegio_user_id") in altegio_user_ids:
            shown.update({name: None for name in shown if name.startswith("owner_") or name == "external_id"})
        people = shown.get("location", {}).get("people", [])
        people[:] = [each for each in people if each["altegio_user_id"] not in altegio_user_ids]

    return leave_out
