"""The search for one of many locations, by its number at Altegio or by the title that the owner may see."""

from django.db.models import Q

from integrations.connections.querysets import name_checked

MAX_NUMBER = 18


def matching(text: str, path: str = "") -> Q:
    """Return the condition for the connections that fit; an empty `text` fits all.

    `path` leads from the searched model to its connection. A title that staff have not let the owner see yet is not
    found by it either.
    """
    if not text:
        return Q()
    found = name_checked(path) & Q(**{f"{path}location__title__icontains": text})
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) <= MAX_NUMBER:
        found |= Q(**{f"{path}location__altegio_id": int(number)})
    return found
