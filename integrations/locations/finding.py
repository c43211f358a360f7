"""Finding locations as staff ask for them: by Altegio's id, by phone number, by title."""

from django.db.models import Q

from accounts.finding import people_found
from integrations.models.place import Location

MOST_FOUND = 200


def altegio_id(term: str) -> int | None:
    """The id in "123" or "#123"; None for anything else (INTERFACE.md: ASCII digits, 1 to 18)."""
    digits = term.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def location_like(term: str) -> Q:
    """The locations with this id, or whose title or number begins so; each has an index."""
    number = altegio_id(term)
    if number is None:
        return Q(title__istartswith=term) | Q(phone__startswith=term)
    return Q(altegio_id=number) | Q(phone__startswith=term) | Q(phone__startswith=f"+{term}")


def connection_like(term: str) -> Q:
    """The connections of the locations or people meant by `term`.

    What is meant is looked up first: one query over two large tables would have to read one of them.
    """
    if "@" in term:
        people = people_found(term)
        return Q(owner__in=people) | Q(claimant__in=people)
    found = Location.objects.filter(location_like(term)).order_by().values_list("pk", flat=True)
    return Q(location__in=list(found[:MOST_FOUND]))
