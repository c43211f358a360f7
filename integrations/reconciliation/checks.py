"""The extension point for apps that compare their own records with Altegio's status, as billing does its payments."""

from collections.abc import Callable, Iterable

from integrations.altegio.answers import ConnectionStatus
from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint

# Returns the differences in words for staff, one text for each difference that needs a person.
Check = Callable[[Connection, ConnectionStatus], Iterable[str]]
COMPARISONS = ExtensionPoint[Check](
    "comparisons", "Looks at every status that a reconciliation asked for, and says what differs from our records."
)


def differences(connection: Connection, status: ConnectionStatus) -> list[str]:
    """Return the differences that all checks found."""
    return [text for check in COMPARISONS for text in check(connection, status)]
