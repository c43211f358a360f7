"""Search for connections by their people and arrivals, beyond the columns of their own table."""

from django.db.models import Q

from accounts.people_search import people_found
from integrations.connections.models import Arrival, ArrivalLocation
from partner_portal.core.search import MAX_RELATED, number_in


def cases_of_people(term: str) -> Q:
    """Return a condition on connections: owner, claimant or a person expected by its arrival matches the term.

    A number also matches the Altegio user of an arrival. At most `MAX_RELATED` arrivals are followed.
    """
    people = [person.pk for person in people_found(term)]
    arrived = Q(expected_user__in=people)
    if (number := number_in(term)) is not None:
        arrived |= Q(altegio_user_id=number)
    if not people and number is None:
        return Q(pk__in=())
    arrivals = Arrival.objects.filter(arrived).order_by("-pk").values_list("pk", flat=True)[:MAX_RELATED]
    places = ArrivalLocation.objects.filter(arrival__in=list(arrivals)).order_by("-pk")
    connections = places.values_list("connection", flat=True)[:MAX_RELATED]
    return Q(owner__in=people) | Q(claimant__in=people) | Q(pk__in=list(connections))
