"""Validation of sender names by Altegio's rules (docs/altegio.md §2) and the limits of mobile networks."""

import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

MAX_NAMES = 20
MAX_CHARACTERS = 11
MAX_DIGITS = 15

# GSM 03.38: the default alphabet without its control characters, and the extension table, whose characters count as
# two each.
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[~]|€")
_CYRILLIC = re.compile(r"[\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f]")
_DIGITS = re.compile(r"[0-9]+")


def name_problem(name: object) -> str:
    """Return why this cannot be a sender name; "" if it can."""
    if not isinstance(name, str) or not name.strip():
        return _("Write a name.")
    return _altegio_problem(name) or _network_problem(name)


def list_problems(names: Sequence[object]) -> dict[int, str]:
    """Return the problem of each invalid or repeated name in a list, by index."""
    problems = {index: problem for index, name in enumerate(names) if (problem := name_problem(name))}
    for index, name in enumerate(names):
        if index not in problems and name in names[:index]:
            problems[index] = _("This name is there twice.")
    return problems


def _altegio_problem(name: str) -> str:
    if _CYRILLIC.search(name):
        return _("Altegio takes no Cyrillic letters in a sender name.")
    if "altegio" in name.casefold():
        return _("A sender name may not contain “altegio”.")
    if name.strip().casefold() == "ag":
        return _("A sender name may not be “ag”.")
    return ""


def _network_problem(name: str) -> str:
    if name != name.strip():
        return _("A sender name may not begin or end with a space.")
    if _DIGITS.fullmatch(name):
        return _("A sender name of digits has at most 15 of them.") if len(name) > MAX_DIGITS else ""
    strange = sorted(set(name) - GSM_BASIC - GSM_EXTENDED)
    if strange:
        shown = (character if character.isprintable() else f"U+{ord(character):04X}" for character in strange)
        return _("Networks do not carry these characters in a sender name: %s") % " ".join(shown)
    if len(name) + sum(character in GSM_EXTENDED for character in name) > MAX_CHARACTERS:
        return _("A sender name has at most 11 characters; ^ { } \\ [ ~ ] | € count as two.")
    return ""
