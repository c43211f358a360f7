"""The nearest matches if no connection is found: unfinished arrivals, refused arrivals, people and customers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Model, Q
from django.utils.safestring import SafeString
from django_stubs_ext import StrOrPromise

from accounts.models import User
from accounts.people_search import customers_without_account, people_found
from integrations.connections.models import Arrival, RefusedArrival
from partner_portal.core.admin_base import link_to
from partner_portal.core.english import english as _
from partner_portal.core.number_lists import holds_number
from partner_portal.core.search import number_in

MAX_SHOWN = 10


@dataclass(frozen=True)
class Nearby:
    """The matches of one kind: a heading, and a link and a description for each row."""

    title: StrOrPromise
    rows: list[tuple[SafeString | str, str]]


def nearby(term: str, reader: User) -> list[Nearby]:
    """Return the matches that `reader` may see, in a constant number of queries, each by an index."""
    people = people_found(term)
    found: list[tuple[StrOrPromise, str, Iterable[Model], Callable[..., str]]] = [
        (_("Arrivals that led to no connection"), "connections.view_arrival", _arrivals(term, people), _of_arrival),
        (_("Refused arrivals"), "connections.view_refusedarrival", refused_arrivals(number_in(term)), _of_refused),
        (_("People"), "accounts.view_user", people[:MAX_SHOWN], _of_person),
        (
            _("Customers who have not come yet"),
            "accounts.view_customer",
            customers_without_account(term, MAX_SHOWN),
            lambda customer: f"{customer.name} · {customer.email}",
        ),
    ]
    return [
        Nearby(title, [(link_to(row), says(row)) for row in rows])
        for title, right, rows, says in found
        if rows and reader.has_perm(right)
    ]


def unfinished_arrivals(number: int) -> list[Arrival]:
    """Return the newest arrivals for the location (Altegio id) on which nobody has signed up or in."""
    waiting = Arrival.objects.filter(holds_number("salon_ids", number), claim="")
    return list(waiting.select_related("application").order_by("-pk")[:MAX_SHOWN])


def refused_arrivals(number: int | None) -> list[RefusedArrival]:
    """Return the newest refused arrivals for the location (Altegio id); none for None."""
    if number is None:
        return []
    refused = RefusedArrival.objects.filter(holds_number("salon_ids", number))
    return list(refused.select_related("application").order_by("-pk")[:MAX_SHOWN])


def _arrivals(term: str, people: list[User]) -> list[Arrival]:
    number = number_in(term)
    ids = [person.pk for person in people]
    theirs = Q(user__in=ids) | Q(expected_user__in=ids)
    if number is not None:
        theirs |= Q(altegio_user_id=number)
    of_people = Arrival.objects.filter(theirs).select_related("application").order_by("-pk")[:MAX_SHOWN]
    at_location = [] if number is None else unfinished_arrivals(number)
    return list({arrival.pk: arrival for arrival in (*at_location, *of_people)}.values())[:MAX_SHOWN]


def _of_arrival(arrival: Arrival) -> str:
    locations = ", ".join(f"#{number}" for number in arrival.salon_ids[:MAX_SHOWN])
    state = _("nobody has signed up or in") if not arrival.claim else ""
    return " · ".join(str(part) for part in (arrival.application, locations, state) if part)


def _of_refused(refused: RefusedArrival) -> str:
    return f"{refused.at:%Y-%m-%d %H:%M} UTC · {refused.application or '–'}"


def _of_person(person: User) -> str:
    staff = _("staff") if person.is_staff else ""
    return " · ".join(str(part) for part in (person.name, person.phone, staff) if part)
