"""The admin's menu, grouped by what staff want to do rather than by table."""

import enum
from typing import Any, ClassVar, NamedTuple

from django.utils.functional import Promise

from partner_portal.core.english import english as _


class Section(enum.Enum):
    """The headings of the menu, in their order."""

    TODAY = "today"
    CONNECTIONS = "connections"
    MONEY = "money"
    MESSAGES = "messages"
    TELEPHONY = "telephony"
    INTEGRATIONS = "integrations"
    PEOPLE = "people"
    EVIDENCE = "evidence"

    @property
    def title(self) -> str | Promise:
        return _TITLES[self]

    def at(self, place: int) -> "MenuPlace":
        """Return a list's place below this heading; 1 is the first."""
        return MenuPlace(self, place)


class MenuPlace(NamedTuple):
    """Where a list stands in the menu."""

    section: Section
    place: int


_TITLES: dict[Section, str | Promise] = {
    Section.TODAY: _("Today"),
    Section.CONNECTIONS: _("Connections"),
    Section.MONEY: _("Money"),
    Section.MESSAGES: _("Messages"),
    Section.TELEPHONY: _("Telephony"),
    Section.INTEGRATIONS: _("Integrations"),
    Section.PEOPLE: _("People"),
    Section.EVIDENCE: _("Evidence"),
}


class InMenu:
    """A list that has a place in the menu."""

    menu: ClassVar[MenuPlace] = Section.EVIDENCE.at(99)


def by_section(apps: list[dict[str, Any]], places: dict[type[Any], MenuPlace]) -> list[dict[str, Any]]:
    """Regroup Django's list of apps and their models by the sections of these places.

    A section in which this member of staff may see no list is left out.
    """
    models = [model for app in apps for model in app["models"]]
    shown = []
    for section in Section:
        own = [model for model in models if places[model["model"]].section is section]
        if own:
            own.sort(key=lambda model: places[model["model"]].place)
            shown.append({"name": section.title, "app_label": section.value, "app_url": "", "models": own})
    return shown
