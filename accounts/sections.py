"""What an owner's page shows comes from above: a feature registers its section here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import User


@dataclass(frozen=True)
class Section:
    """One part of the owner's page: a template, and what makes its context."""

    template: str
    context: Callable[[User], dict[str, Any]]


_sections: list[Section] = []


def register_section(template: str, context: Callable[[User], dict[str, Any]]) -> None:
    """Show `template` on every owner's page, with `context(user)`."""
    _sections.append(Section(template, context))


def sections_for(user: User) -> list[tuple[str, dict[str, Any]]]:
    """The templates and contexts of the owner's page, in the order they were registered."""
    return [(section.template, section.context(user)) for section in _sections]
