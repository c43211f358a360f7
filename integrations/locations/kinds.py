"""Fetching what Altegio knows of the connected locations: one call for up to a thousand of them."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from integrations.altegio import calls
from integrations.altegio.answers import Answer, RemoteLocation, read_locations
from integrations.altegio.calls import Call
from integrations.connections import lock
from integrations.locations.review import review_name
from integrations.models.application import Application
from integrations.models.connection import LIVE, Connection
from integrations.models.place import Location
from integrations.outbox.kinds import CallKind, register
from integrations.outbox.models import OutgoingCall, Priority
from integrations.outbox.queue import queue_newest

PAGE = 1000


def fetch_locations(application: Application, *, page: int = 1) -> None:
    """Queue the fetch of a page; one that waits already serves."""
    number = application.altegio_id
    queue_newest(FetchLocations, f"locations:{number}:{page}", application=number, page=page)


@register
class FetchLocations(CallKind):
    """ALTEGIO.md §2, connected locations."""

    name = "fetch_locations"
    priority = Priority.SETUP
    repeatable = True
    gives_up_after = timedelta(days=1)

    def request(self, call: OutgoingCall) -> Call:
        return calls.connected_locations(call.params["application"], page=call.params["page"], count=PAGE)

    def accepted(self, call: OutgoingCall, answer: Answer) -> None:
        remote = read_locations(answer)
        application = Application.objects.get(altegio_id=call.params["application"])
        remember(remote)
        _review_names(application, remote)
        if len(remote) >= PAGE and _unfetched(application).exists():
            fetch_locations(application, page=call.params["page"] + 1)


FIELDS = ("title", "public_title", "phone", "email", "country", "city", "timezone_name", "address")
LENGTHS = {field.name: field.max_length for field in Location._meta.fields if field.name in FIELDS}


def remember(remote: list[RemoteLocation]) -> None:
    """Store what Altegio tells of the locations that are known here; others are none of ours."""
    by_id = {place.id: place for place in remote}
    known = list(Location.objects.select_for_update().filter(altegio_id__in=by_id).order_by("altegio_id"))
    changed = [location for location in known if _take_over(location, by_id[location.altegio_id])]
    Location.objects.bulk_update(changed, FIELDS, batch_size=200)
    Location.objects.filter(pk__in=[location.pk for location in known]).update(fetched_at=timezone.now())


def _take_over(location: Location, place: RemoteLocation) -> bool:
    """Set the location's fields to what Altegio tells; whether that changed any."""
    before = [getattr(location, name) for name in FIELDS]
    for name in FIELDS:
        setattr(location, name, getattr(place, name)[: LENGTHS[name]])
    return before != [getattr(location, name) for name in FIELDS]


def _unfetched(application: Application) -> QuerySet[Connection]:
    """The live connections whose location's data is still missing: without any, further pages tell nothing new."""
    return Connection.objects.filter(application=application, state__in=LIVE, location__fetched_at=None)


def _review_names(application: Application, remote: list[RemoteLocation]) -> None:
    unreviewed = Connection.objects.filter(
        application=application,
        location__altegio_id__in=[place.id for place in remote],
        state__in=LIVE,
        reviewed_at=None,
    )
    for connection_id in unreviewed.order_by("pk").values_list("pk", flat=True):
        review_name(lock(connection_id))
