"""What lies above compares its own records with Altegio's status: billing its payments."""

from collections.abc import Callable, Iterable

from integrations.altegio.answers import ConnectionStatus
from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint

# What differs, in words for staff, one text for each difference that needs a person.
Check = Callable[[Connection, ConnectionStatus], Iterable[str]]
COMPARISONS = ExtensionPoint[Check](
    "comparisons", "Looks at every status that a reconciliation asked for, and says what differs from our records."
)


def differences(connection: Connection, status: ConnectionStatus) -> list[str]:
    """Return what all checks found."""
    return [text for check in COMPARISONS for text in check(connection, status)]
