"""The sections of an owner's pages, which features register here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from django.template.loader import render_to_string

from accounts.models import User
from partner_portal.core.extension_points import ExtensionPoint

PageName = Literal["home", "me"]
Context = Callable[[HttpRequest, User], dict[str, Any]]


@dataclass(frozen=True)
class PageSection:
    """A section of an owner's page: a template, and the function that makes its context."""

    page: PageName
    template: str
    context: Context


SECTIONS = ExtensionPoint[PageSection]("sections", 'Parts of the owner\'s first page and of "My data".')


def register_section(page: PageName, template: str, context: Context) -> None:
    """Show `template` on the owner's `page`, with `context(request, owner)`."""
    SECTIONS.register(template, PageSection(page, template, context))


def sections_of(page: PageName, request: HttpRequest, owner: User) -> list[str]:
    """Return the page's sections as HTML, in their order."""
    return [
        render_to_string(section.template, section.context(request, owner), request)
        for section in SECTIONS
        if section.page == page
    ]
