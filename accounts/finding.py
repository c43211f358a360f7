"""Finding people as staff ask for them: by address, by phone number, by name."""

from django.db.models import Q

from accounts.models import User

# A search that finds more is too wide to help anyone.
MOST_FOUND = 200


def person_like(term: str) -> Q:
    """Whose address, number, Altegio id or name it is, by how it begins; each has an index."""
    if "@" in term:
        return Q(email__istartswith=term)
    digits = term.lstrip("+").replace(" ", "")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:
        return Q(phone__startswith=f"+{digits}") | Q(phone__startswith=digits) | Q(pk__in=_by_altegio_id(int(digits)))
    return Q(name__istartswith=term) | Q(email__istartswith=term)


def people_found(term: str) -> list[int]:
    """The ids of the people `person_like` finds."""
    return list(User.objects.filter(person_like(term)).order_by().values_list("pk", flat=True)[:MOST_FOUND])


def _by_altegio_id(number: int) -> list[int]:
    return list(User.objects.filter(identities__altegio_user_id=number).values_list("pk", flat=True))
