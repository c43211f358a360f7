"""The steps by which an owner comes to the connect page."""

from sandbox import Sandbox


def arrival(altegio: Sandbox, portal: str, locations: int | list[int], user_id: int | None = 9001) -> str:
    altegio.grant(locations, user_id=user_id)
    return altegio.arrival_url(locations, user_id=user_id)
