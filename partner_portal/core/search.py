"""Search in admin lists of a million rows: every search field becomes a condition on the list's own table.

Django's admin search joins all tables and compares numbers as text, so that it uses no index. Here numbers are
compared as numbers, and related tables are searched first.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist
from django.db.models import IntegerField, Model, Q, QuerySet
from django.http import HttpRequest

from partner_portal.core.phone_search import ends_like, phone_ending

# At most this many rows of a related table are used; a search that finds more is too broad to help anyone.
MAX_RELATED = 200
MAX_NUMBER = 18
# The lookup for a telephone number that may be stored in another form than it was typed.
ANY_FORM = "in_any_form"


class IndexedSearch:
    """A mixin for a ModelAdmin's search by `search_fields`, in the notation of `matching`."""

    model: type[Model]
    search_fields: ClassVar[Any]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(self.matching(term)) if term else queryset), False

    def matching(self, term: str) -> Q:
        """Return the search as a condition on the list's own table."""
        return matching(self.model, self.search_fields, term)


def matching(model: type[Model], fields: Iterable[str], term: str) -> Q:
    """Return the condition that one of the fields equals `term` or begins with it.

    Fields are "=number", "=exact_text", "text__startswith", "relation__text__istartswith", "phone__in_any_form". A
    term with "@" is searched for in fields named `email` or `to` and in exact texts, other terms in all fields except
    those. Only a number is searched for in number fields.
    """
    wanted = Q(pk__in=())
    for field in fields:
        path, lookup = _parsed(model, field)
        if (condition := _condition(model, path, lookup, term)) is not None:
            wanted |= condition
    return wanted


def number_in(term: str) -> int | None:
    """Return the number that was typed, as "10101" or "#10101"; None if it is not a number."""
    number = term.strip().removeprefix("#")
    fits = number.isascii() and number.isdigit() and len(number) <= MAX_NUMBER
    return int(number) if fits else None


def _parsed(model: type[Model], field: str) -> tuple[list[str], str]:
    """Split "=a__b" or "a__b__istartswith" into the path's names and the lookup."""
    names = field.removeprefix("=").split("__")
    for place, name in enumerate(names):
        try:
            found = model._meta.get_field(name)
        except FieldDoesNotExist:
            return names[:place], "__".join(names[place:])
        model = found.related_model if isinstance(found.related_model, type) else model
    return names, "exact" if field.startswith("=") else "icontains"


def _condition(model: type[Model], path: list[str], lookup: str, term: str) -> Q | None:
    """Return a field's condition on the list's own table; None if the term does not fit the field."""
    field = model._meta.get_field(path[0])
    if len(path) > 1 and isinstance(field.related_model, type):
        inner = _condition(field.related_model, path[1:], lookup, term)
        if inner is None:
            return None
        related = field.related_model._default_manager.filter(inner).order_by().values_list("pk", flat=True)
        found = Q(**{f"{path[0]}__in": list(related[:MAX_RELATED])})
        if field.concrete and not field.many_to_many:
            return found
        own = model._default_manager.filter(found).order_by("-pk").values_list("pk", flat=True)
        return Q(pk__in=list(own[:MAX_RELATED]))
    if isinstance(field, IntegerField):
        number = number_in(term)
        return None if number is None else Q(**{path[0]: number})
    if lookup == ANY_FORM:
        ending = phone_ending(term)
        return ends_like(path[0], ending) if ending else None
    if lookup != "exact" and ("@" in term) != (path[0] in ("email", "to")):
        return None
    return Q(**{f"{path[0]}__{lookup}": term})
