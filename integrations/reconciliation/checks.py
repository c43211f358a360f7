"""What lies above compares its own records with Altegio's status: billing its payments."""

from collections.abc import Callable, Iterable

from integrations.altegio.answers import ConnectionStatus
from integrations.connections.models import Connection

# What differs, in words for staff, one text for each difference that needs a person.
Check = Callable[[Connection, ConnectionStatus], Iterable[str]]
_checks: list[Check] = []


def register_check(check: Check) -> None:
    """Let `check` look at every status that a reconciliation asked for."""
    _checks.append(check)


def differences(connection: Connection, status: ConnectionStatus) -> list[str]:
    """What all checks found."""
    return [text for check in _checks for text in check(connection, status)]
