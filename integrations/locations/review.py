"""The check of the signed location name against the location's title, before its owner sees any data.

`salon_name` is signed, the location ids beside it are not (docs/altegio.md §1). A mismatch on an arrival for one
location is reported to staff.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db.models import Min, Q
from django.utils import timezone

from integrations.alerts.models import Alert
from integrations.alerts.raising import NewAlert, raise_alerts
from integrations.connections.models import LIVE, Arrival, ArrivalLocation, Connection, Location
from integrations.connections.transitions import changing_details, hold


def review_name(connection: Connection) -> None:
    """Check a locked live connection, as soon as the location's title is known."""
    _review([connection])


@contextmanager
def learning_titles(
    locations: Sequence[int], *, renamed: Sequence[int], beside: Iterable[int] = ()
) -> Iterator[None]:
    """Wrap the writing of locations (by key): report new titles to receivers, and check signed names afterwards.

    Connections are locked before it, in one order: those that show a title, those that wait for one, and those (by
    key) that the caller writes `beside`.
    """
    shown = Q(location__in=renamed)
    unreviewed = Q(location__in=locations, state__in=LIVE, reviewed_at=None)
    held = hold(Connection.objects.filter(shown | unreviewed | Q(pk__in=list(beside))))
    with changing_details(Connection.objects.filter(shown)):
        yield
    waiting = Connection.objects.live().filter(pk__in=held, reviewed_at=None).exclude(location__title="")
    _review(list(waiting.select_related("application", "location").order_by("pk")))


def _review(connections: Iterable[Connection]) -> None:
    """Check the connections that were not checked yet, in a constant number of queries."""
    due = [each for each in connections if each.reviewed_at is None and each.location.title]
    if not due:
        return
    now, signed = timezone.now(), _signed_names([each.pk for each in due])
    for connection in due:
        connection.review = _mismatch(signed.get(connection.pk, ""), connection.location) or connection.review
        connection.reviewed_at = now
    wrong = [each for each in due if each.review]
    raise_alerts(NewAlert(Alert.Kind.REVIEW, f"review:{each.pk}", f"{each}: {each.review}", each) for each in wrong)
    Connection.objects.bulk_update(wrong, ["review"])
    Connection.objects.filter(pk__in=[each.pk for each in due]).update(reviewed_at=now)


def _mismatch(signed: str, location: Location) -> str:
    """Return what staff must look at; "" if the signed name is one of the location's, or none was signed."""
    if not signed or _folded(signed) in (_folded(location.title), _folded(location.public_title)):
        return ""
    return f"Altegio signed the name “{signed}”, but the location is called “{location.title}”."[:300]


def _signed_names(connections: Sequence[int]) -> dict[int, str]:
    """Return the signed names by connection; "" if the arrival was for several locations, or unsigned.

    The arrival is the first one of each connection.
    """
    shown = ArrivalLocation.objects.filter(connection__in=connections).values("connection")
    first = dict(shown.annotate(first=Min("arrival")).values_list("connection", "first"))
    # Each arrival is read only once, because one for many locations holds the ids of all of them.
    arrivals = Arrival.objects.filter(pk__in=set(first.values())).values_list("pk", "salon_name", "salon_ids")
    names = {arrival: name if len(salon_ids) == 1 else "" for arrival, name, salon_ids in arrivals}
    return {connection: names[arrival] for connection, arrival in first.items()}


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())
