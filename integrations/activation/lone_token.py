"""Alerts about a CRM token that came without its chain's number (docs/altegio.md §1), so that it is not lost
silently.

The portal knows a token by its chain, so this one switches no telephony on. It stays with its arrival, encrypted; the
alert tells staff what helps.
"""

from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alert
from integrations.connections.models import Arrival, Connection


def note_lone_token(connection: Connection) -> None:
    """Alert staff to the token of an accepted connection without a chain, once for the arrival that brought it."""
    if connection.location.chain_id is not None:
        return
    arrival = connection.arrivals.filter(chain_id_given=None).order_by("-pk").first()
    if arrival is not None and arrival.crm_token:
        note_lone_token_of(connection, arrival)


def note_lone_token_of(connection: Connection, arrival: Arrival) -> None:
    """Alert staff with one location as the example; the other locations of the arrival are alike."""
    text = (
        f"{connection}: a CRM token came without the number of its chain (salon_group_id), so its telephony cannot "
        "be switched on. Let the owner press Connect again from the chain in Altegio; if the number is missing "
        "again, pass this on to Altegio's support."
    )
    raise_alert(Alert.Kind.REVIEW, f"lone-token:{arrival.pk}", text, connection)
