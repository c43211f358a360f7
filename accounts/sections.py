"""What an owner's page shows comes from above: a feature registers its section here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from django.template.loader import render_to_string

from accounts.models import User

PageName = Literal["home", "me"]
Context = Callable[[HttpRequest, User], dict[str, Any]]


@dataclass(frozen=True)
class Section:
    """One part of an owner's page: a template, and what makes its context."""

    page: PageName
    template: str
    context: Context


_sections: list[Section] = []


def register_section(page: PageName, template: str, context: Context) -> None:
    """Show `template` on the owner's `page`, with `context(request, owner)`."""
    _sections.append(Section(page, template, context))


def sections_of(page: PageName, request: HttpRequest, owner: User) -> list[str]:
    """The page's sections as HTML, in the order they were registered."""
    return [
        render_to_string(section.template, section.context(request, owner), request)
        for section in _sections
        if section.page == page
    ]
