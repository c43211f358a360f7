"""Whatever a caller can say leads to their case: numbers, names, phones, ids, and arrivals that came to nothing."""

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import AltegioIdentity, Customer, User
from integrations.connections.models import Application, Arrival, Connection, Location, RefusedArrival
from partner_portal.core.phone_search import phone_ending
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, EMMA, MARIA, arrive
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db
LIST = "/admin/connections/connection/"


@pytest.fixture
def case(client: Client, altegio: Sandbox, work: Work) -> Connection:
    """Return Emma's location, with everything on record that she may name."""
    arrive(client, altegio, AURORA_1)
    work()
    case = Connection.objects.get()
    User.objects.filter(connections=case).update(name="Emma Woodhouse", phone="+44 20 7946 0958")
    Customer.objects.create(external_id="crm-77", email="office@aurora.example", user_id=case.owner_id)
    Location.objects.update(title="Aurora Leeds", phone="(0113) 496-0123")
    return case


def search(staff: Client, term: str) -> Response:
    return staff.get(LIST, {"q": term})


def opens(staff: Client, term: str, case: Connection) -> bool:
    answer = search(staff, term)
    return answer.status_code == 302 and answer["Location"] == f"{LIST}{case.pk}/change/"


@pytest.mark.parametrize(
    "term",
    [
        *(str(AURORA_1), f"#{AURORA_1}", "aurora le", "+44 113 496 0123", "01134960123", "496-0123"),
        *("emma@aurora", "emma w", "+44 20 7946 0958", "020 7946 0958", "0044 20 79460958", "+44(0)2079460958"),
        *("442079460958", "7946 0958", "crm-77", str(EMMA)),
    ],
)
def test_a_callers_words_open_the_only_matching_case(staff: Client, case: Connection, term: str) -> None:
    assert opens(staff, term, case)


def test_the_id_of_the_connection_itself_is_found(staff: Client, case: Connection) -> None:
    Connection.objects.update(external_id="sub@42", has_own_external_id=True)
    assert opens(staff, "sub@42", case)


def test_a_location_without_an_owner_is_found_by_the_expected_person(
    client: Client, altegio: Sandbox, staff: Client
) -> None:
    arrive(client, altegio, AURORA_1)
    User.objects.filter(is_staff=False).update(name="Emma Woodhouse")
    emma = User.objects.get(name="Emma Woodhouse")
    Arrival.objects.update(expected_user=emma, user=None, altegio_user_id=None)
    Connection.objects.update(owner=None, claimant=None)
    assert opens(staff, "emma wood", Connection.objects.get())


def test_two_matches_are_a_list(client: Client, altegio: Sandbox, staff: Client, case: Connection) -> None:
    arrive(client, altegio, AURORA_2)
    page = search(staff, "emma@aurora")
    assert page.status_code == 200
    assert page.context["cl"].result_count == 2


def test_a_filter_beside_it_keeps_the_list(staff: Client, case: Connection) -> None:
    assert staff.get(LIST, {"q": str(AURORA_1), "state__exact": "active"}).status_code == 200


def test_an_arrival_that_was_never_finished_is_offered(client: Client, altegio: Sandbox, staff: Client) -> None:
    arrive(client, altegio, [AURORA_1, AURORA_2], user_id=None)
    page = search(staff, str(AURORA_2)).content.decode()
    assert "Arrivals that led to no connection" in page
    assert reverse("admin:connections_arrival_change", args=[Arrival.objects.get().pk]) in page
    assert f'Looked for: <b dir="auto">{AURORA_2}</b>' in page


def test_a_refused_arrival_is_offered_by_the_locations_it_named(
    client: Client, altegio: Sandbox, staff: Client
) -> None:
    Application.objects.create(altegio_id=1)
    client.get(f"/connect/?salon_id={AURORA_1}&salon_ids[]=x&salon_ids[]={AURORA_2}")
    assert RefusedArrival.objects.get().salon_ids == [AURORA_1, AURORA_2]
    page = search(staff, str(AURORA_2)).content.decode()
    assert reverse("admin:connections_refusedarrival_change", args=[RefusedArrival.objects.get().pk]) in page


def test_a_person_without_a_connection_is_offered(staff: Client) -> None:
    maria = User.objects.create_user("maria@medved.example", name="Maria", phone="8 (916) 123-45-67")
    AltegioIdentity.objects.create(user=maria, altegio_user_id=MARIA)
    for term in ("maria", "maria@", "+7 916 123 45 67", str(MARIA)):
        assert reverse("admin:accounts_user_change", args=[maria.pk]) in search(staff, term).content.decode()


def test_a_customer_who_has_not_come_yet_is_offered(staff: Client) -> None:
    customer = Customer.objects.create(external_id="crm-5", email="new@salon.example", phone="+380 50 123 45 67")
    for term in ("crm-5", "new@salon", "0501234567"):
        assert reverse("admin:accounts_customer_change", args=[customer.pk]) in search(staff, term).content.decode()


def test_an_empty_result_says_so_and_markup_stays_text(staff: Client) -> None:
    page = search(staff, "<i>nobody</i>").content.decode()
    assert "No connection is found" in page
    assert "<i>nobody" not in page


def test_staff_without_the_right_are_offered_no_people(client: Client) -> None:
    User.objects.create_user("maria@medved.example", name="Maria")
    viewer = User.objects.create_user("viewer@partner.example", is_staff=True)
    viewer.user_permissions.set(
        viewer.user_permissions.model.objects.filter(
            codename="view_connection", content_type__app_label="connections"
        )
    )
    client.force_login(viewer)
    assert "/admin/accounts/user/" not in search(client, "maria").content.decode()


@pytest.mark.parametrize(
    ("typed", "ending"),
    [
        ("+44 20 7946 0958", "079460958"),
        ("(020) 7946-0958", "079460958"),
        ("tel:+442079460958", "079460958"),
        ("+372 512 3456", "5123456"),
        ("7946 0958", "79460958"),
        ("10101", ""),
        ("1234567", ""),
        ("#10101", ""),
        ("2026-11-26 14:00", ""),
        ("Salon 24", ""),
        ("", ""),
    ],
)
def test_a_number_is_known_by_its_end_and_a_locations_is_none(typed: str, ending: str) -> None:
    assert phone_ending(typed) == ending


def test_a_search_costs_the_same_however_many_matches_there_are(
    client: Client,
    altegio: Sandbox,
    staff: Client,
    case: Connection,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    arrive(client, altegio, AURORA_2)
    search(staff, "emma@aurora")
    with django_assert_max_num_queries(16) as first:
        search(staff, "emma w")
    location = Location.objects.get(altegio_id=AURORA_2)
    for number in range(20):
        person = User.objects.create_user(f"emma{number}@aurora.example", name="Emma W.", phone="+44 20 7946 0958")
        Connection.objects.create(
            **dict.fromkeys(("arrived_at", "last_arrived_at", "deadline_at"), case.arrived_at),
            application=case.application,
            location=location,
            claim=f"x:{number}",
            claimant=person,
            state="failed",
        )
    with django_assert_max_num_queries(len(first.captured_queries)):
        search(staff, "emma w")


@pytest.mark.parametrize(
    ("term", "indexes"),
    [
        ("020 7946 0958", {"location_phone_ends", "user_phone_ends", "customer_phone_ends"}),
        ("10101", {"arrival_by_altegio_user", "arrival_at_locations", "refused_at_locations"}),
        ("emma w", {"user_name_begins", "location_title_begins", "customer_name_begins"}),
        ("emma@w", {"user_email_begins", "customer_email_begins"}),
    ],
)
def test_every_question_has_its_index(staff: Client, term: str, indexes: set[str]) -> None:
    if database.vendor != "postgresql":
        pytest.skip("SQLite has other indexes.")
    with CaptureQueriesContext(database) as asked:
        search(staff, term)
    with database.cursor() as cursor:
        # PostgreSQL reads a small table whole, but not a million rows.
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = ""
        for query in asked.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN {query['sql'].replace('%', '%%')}", ())
                plans += "\n".join(row[0] for row in cursor.fetchall()) + "\n"
    assert {index for index in indexes if index not in plans} == set(), plans
