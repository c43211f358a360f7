"""The world of the sandbox: the state behind one lock, with the look-ups that every rule needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import Any, TypeVar

from pydantic_core import to_json

from sandbox.models import Application, Chain, Connection, Location, State, Status, User
from sandbox.refusals import RefusalError, language_of
from sandbox.settings import Settings

T = TypeVar("T")
Clock = Callable[[], datetime]
Teller = Callable[[dict[str, Any]], None]


def _nobody_listens(event: dict[str, Any]) -> None:
    del event


class World:
    """State, clock and settings. Code that reads or changes it holds `lock`, and never sleeps while holding it.

    `tell` passes a lifecycle callback to its sender; `touch` says that there is something to save; `address` is where
    the sandbox listens; `refused_sms` are message ids that are refused, with the status code.
    """

    def __init__(self, state: State, *, clock: Clock, zone: tzinfo, settings: Settings) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.zone = zone
        self.settings = settings
        self.tell: Teller = _nobody_listens
        self.touch: Callable[[], None] = lambda: None
        self.address = ""
        self.refused_sms: dict[str, int] = {}
        self.take(state)

    def take(self, state: State) -> None:
        """Replace the state and rebuild the indexes."""
        self.state = state
        self.applications = {item.id: item for item in state.applications}
        self.chains = {item.id: item for item in state.chains}
        self.locations = {item.id: item for item in state.locations}
        self.users = {item.id: item for item in state.users}
        self.connections = {(item.application_id, item.location_id): item for item in state.connections}

    def snapshot(self) -> str:
        with self.lock:
            return to_json(self.state).decode()

    def now(self) -> datetime:
        return self.clock().replace(microsecond=0)

    def application(self, application_id: int) -> Application:
        return _found(self.applications.get(application_id), "no_application")

    def location(self, location_id: int) -> Location:
        return _found(self.locations.get(location_id), "no_location")

    def user(self, user_id: int) -> User:
        return _found(self.users.get(user_id), "no_user")

    def chain(self, chain_id: int) -> Chain:
        return _found(self.chains.get(chain_id), "no_chain")

    def chain_by_token(self, crm_token: str) -> Chain:
        return _found(next((c for c in self.state.chains if c.crm_token == crm_token), None), "no_chain")

    def locations_of(self, chain_id: int | None) -> list[Location]:
        return [item for item in self.state.locations if item.chain_id == chain_id]

    def connection(self, application_id: int, location_id: int) -> Connection | None:
        return self.connections.get((application_id, location_id))

    def installed(self, application_id: int, location_id: int) -> Connection:
        """Return the connection if it is active or frozen. Raises RefusalError (403) otherwise."""
        self.application(application_id)
        self.location(location_id)
        connection = self.connection(application_id, location_id)
        if connection is None or not connection.is_installed:
            raise RefusalError(403, "not_installed")
        return connection

    def add_connection(self, connection: Connection) -> None:
        self.state.connections.append(connection)
        self.connections[connection.application_id, connection.location_id] = connection

    def connections_of(self, application_id: int, statuses: Iterable[Status]) -> list[Connection]:
        wanted = set(statuses)
        found = (c for c in self.state.connections if c.application_id == application_id)
        return sorted((c for c in found if c.status in wanted), key=lambda c: c.location_id)

    def language(self, location_id: int | None) -> str:
        location = self.locations.get(location_id or 0)
        return language_of(location.country) if location else "en"


def _found(item: T | None, reason: str) -> T:
    if item is None:
        raise RefusalError(404, reason)
    return item
