"""The fetch of what Altegio knows of the connected locations: one call for up to a thousand of them.

After an activation the location is looked for where a new entry may stand in a list: at its beginning or its end. The
nightly reconciliation, which reads the whole list, finds an entry that stands elsewhere in a long one.
"""

from collections.abc import Iterable
from datetime import timedelta
from math import ceil

from django.db.models import QuerySet
from django.utils import timezone

from integrations.altegio import requests
from integrations.altegio.answers import Answer
from integrations.altegio.location_list import RemoteLocation, read_locations
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Application, Connection, Location
from integrations.locations.review import learning_titles
from integrations.outbox.call_kinds import CallKind, ObsoleteError, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import queue_newest
from partner_portal.core.bulk_writes import store_each, update_columns
from partner_portal.core.english import english as _

PAGE = 1000
# A location whose activation is older than this is no longer looked for here.
FRESH = timedelta(days=1)


def fetch_locations(application: Application, *, page: int = 1) -> None:
    """Queue the fetch of a page; a call that already waits serves."""
    number = application.altegio_id
    queue_newest(FetchLocations, f"locations:{number}:{page}", application=number, page=page)


@register
class FetchLocations(CallKind):
    """A call that fetches a page of the connected locations (docs/altegio.md §2, connected locations)."""

    name = "fetch_locations"
    title = _("Data of the locations")
    priority = Priority.SETUP
    idempotent = True
    max_age = timedelta(days=1)

    def request(self, call: OutgoingCall) -> ApiRequest:
        if call.params["page"] > 1 and not _unfetched(call.params["application"]).exists():
            raise ObsoleteError("All that was looked for is found.")
        return requests.connected_locations(call.params["application"], page=call.params["page"], count=PAGE)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        remote = read_locations(answer)
        application = Application.objects.get(altegio_id=call.params["application"])
        remember(remote)
        if call.params["page"] == 1 and len(remote) >= PAGE and _unfetched(application.altegio_id).exists():
            for page in _pages_of_new_ones(application):
                fetch_locations(application, page=page)


TEXTS = ("title", "public_title", "phone", "email", "country", "city", "timezone_name", "address")
FIELDS = (*TEXTS, "in_business")
LENGTHS = {field.name: field.max_length for field in Location._meta.fields if field.name in TEXTS}


def remember(remote: Iterable[RemoteLocation], *, beside: Iterable[int] = ()) -> None:
    """Store what Altegio sends about the locations that are known here, and ignore the others.

    `beside` holds the keys of the connections that the caller writes afterwards; they are locked with the others.
    """
    by_id = {place.id: place for place in remote}
    titles = list(Location.objects.filter(altegio_id__in=by_id).values_list("pk", "altegio_id", "title"))
    renamed = [pk for pk, altegio_id, title in titles if title != _cut("title", by_id[altegio_id])]
    with learning_titles([pk for pk, *_title in titles], renamed=renamed, beside=beside):
        known = list(
            Location.objects.select_for_update(no_key=True).filter(altegio_id__in=by_id).order_by("altegio_id")
        )
        changed = [location for location in known if _take_over(location, by_id[location.altegio_id])]
        store_each(changed, lambda rows: update_columns(rows, FIELDS))
    Location.objects.filter(pk__in=[location.pk for location in known]).update(fetched_at=timezone.now())


def _take_over(location: Location, place: RemoteLocation) -> bool:
    """Set the location's fields to what Altegio sent, and return whether that changed any."""
    before = [getattr(location, name) for name in FIELDS]
    for name in TEXTS:
        setattr(location, name, _cut(name, place))
    location.in_business = place.in_business
    return before != [getattr(location, name) for name in FIELDS]


def _cut(name: str, place: RemoteLocation) -> str:
    text: str = getattr(place, name)
    return text[: LENGTHS[name]]


def _unfetched(application_number: int) -> QuerySet[Connection]:
    """Return the new connections whose location's data is still missing; without any, no further page is needed."""
    return Connection.objects.live().filter(
        application__altegio_id=application_number,
        activated_at__gt=timezone.now() - FRESH,
        location__fetched_at=None,
    )


def _pages_of_new_ones(application: Application) -> list[int]:
    """Return the pages after a full first one on which new entries may stand: the second, and those near the end.

    The end is where our own count puts it, give or take a page.
    """
    last = ceil(Connection.objects.live().filter(application=application).count() / PAGE)
    return [page for page in sorted({2, last - 1, last, last + 1}) if page > 1]
