"""The data of new locations is fetched in a few calls, however many locations are connected."""

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from integrations.alerts.models import Alert
from integrations.altegio.answers import Answer, Outcome
from integrations.altegio.location_list import read_locations
from integrations.connections.models import Application, Arrival, ArrivalLocation, Connection, Location
from integrations.locations import call_kinds
from integrations.locations.call_kinds import FetchLocations, fetch_locations, remember
from integrations.outbox.call_kinds import ObsoleteError
from integrations.outbox.models import OutgoingCall

pytestmark = pytest.mark.django_db
PAGE = 3


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_kinds, "PAGE", PAGE)


@pytest.fixture
def application() -> Application:
    return Application.objects.create(altegio_id=1)


def connect_locations(application: Application, count: int) -> None:
    places = Location.objects.bulk_create([Location(altegio_id=number) for number in range(1, count + 1)])
    now = timezone.now()
    moments = {"arrived_at": now, "last_arrived_at": now, "deadline_at": now, "activated_at": now}
    Connection.objects.bulk_create(
        [
            Connection(application=application, location=place, state="active", claim="u:1", **moments)
            for place in places
        ]
    )


def answer_first_page(application: Application, *, ids: range) -> list[int]:
    """Return the pages requested after Altegio has listed these locations on the first one."""
    fetch_locations(application)
    call = OutgoingCall.objects.get()
    call.state = "done"
    call.save()
    FetchLocations().accepted(call, Answer(Outcome.ACCEPTED, data=[{"id": number} for number in ids]))
    return sorted(row.params["page"] for row in OutgoingCall.objects.filter(state="queued"))


def test_a_long_list_is_looked_at_where_new_entries_stand(application: Application) -> None:
    connect_locations(application, 30 * PAGE)
    assert answer_first_page(application, ids=range(1, PAGE + 1)) == [2, 29, 30, 31]


def test_a_list_of_one_page_is_read_once(application: Application) -> None:
    connect_locations(application, PAGE + 1)
    assert answer_first_page(application, ids=range(1, PAGE)) == []


def test_nothing_is_read_on_once_everything_new_is_found(application: Application) -> None:
    connect_locations(application, PAGE)
    assert answer_first_page(application, ids=range(1, PAGE + 1)) == []


def test_signed_names_cost_no_query_for_each_location(
    application: Application, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    connect_locations(application, 40)
    arrivals = Arrival.objects.bulk_create(
        [
            Arrival(application=application, salon_ids=[number], salon_name="Another", deadline_at=timezone.now())
            for number in range(1, 41)
        ]
    )
    ArrivalLocation.objects.bulk_create(
        [
            ArrivalLocation(arrival=arrival, connection=connection)
            for arrival, connection in zip(arrivals, Connection.objects.order_by("pk"), strict=True)
        ]
    )
    listed = [{"id": number, "title": f"Salon {number}"} for number in range(1, 41)]
    remote = read_locations(Answer(Outcome.ACCEPTED, data=listed))
    with django_assert_max_num_queries(30):
        remember(remote)
    assert Connection.objects.filter(reviewed_at__isnull=False).exclude(review="").count() == 40
    assert Alert.objects.filter(kind="review").count() == 40


def test_a_page_that_waits_is_not_read_once_everything_new_is_found(application: Application) -> None:
    connect_locations(application, 1)
    fetch_locations(application, page=2)
    call = OutgoingCall.objects.get()
    assert FetchLocations().request(call).query["page"] == 2
    Location.objects.update(fetched_at=timezone.now())
    with pytest.raises(ObsoleteError):
        FetchLocations().request(call)
