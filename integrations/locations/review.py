"""The signed location name: checked against the location's title before its owner sees any data.

`salon_name` is signed, the location ids beside it are not (docs/altegio.md §1). A mismatch on an arrival
for one location is for staff to look at.
"""

from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import raise_alerts
from integrations.connections.models import Connection


def review_name(connection: Connection) -> None:
    """Check a locked live connection, as soon as the location's title is known."""
    location = connection.location
    if connection.reviewed_at is not None or not location.title:
        return
    signed = _signed_name(connection)
    titles = {_folded(location.title), _folded(location.public_title)}
    if signed and _folded(signed) not in titles:
        connection.review = f"Altegio signed the name “{signed}”, but the location is called “{location.title}”."[
            :300
        ]
        raise_alerts(
            [(Alert.Kind.REVIEW, f"review:{connection.pk}", f"{connection}: {connection.review}", connection)]
        )
    connection.reviewed_at = timezone.now()
    connection.save(update_fields=["review", "reviewed_at"])


def _signed_name(connection: Connection) -> str:
    """The name on the arrival that made the connection; "" where it was for several locations, or unsigned."""
    arrival = connection.arrivals.order_by("pk").first()
    return arrival.salon_name if arrival is not None and len(arrival.salon_ids) == 1 else ""


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())
