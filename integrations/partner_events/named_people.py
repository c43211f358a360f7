"""The people whom the connection in an event's `data` names, and how to take each of them out."""

from collections.abc import Callable, Collection, Mapping
from typing import Any


def account(user_id: int) -> str:
    """Return a person with an account, in the form of `NamedPerson`."""
    return f"u:{user_id}"


def altegio_user(altegio_user_id: int) -> str:
    """Return a person at Altegio, in the form of `NamedPerson`."""
    return f"a:{altegio_user_id}"


def people_in(data: Mapping[str, Any]) -> set[str]:
    """Return the connection's owner and the people of its location; none if the data holds no connection."""
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
    """Return a function that empties the owner in `data` and takes these Altegio users out of the location's people.

    The owner is emptied if it is one of `owners` or of the Altegio users.
    """

    def leave_out(data: dict[str, Any]) -> None:
        shown = data["connection"]
        if shown["owner_id"] in owners or shown.get("owner_altegio_user_id") in altegio_user_ids:
            shown.update({name: None for name in shown if name.startswith("owner_") or name == "external_id"})
        people = shown.get("location", {}).get("people", [])
        people[:] = [each for each in people if each["altegio_user_id"] not in altegio_user_ids]

    return leave_out
