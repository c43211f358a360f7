"""The sections of a connection's page, and the extension point at which features add theirs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django_stubs_ext import StrOrPromise

from accounts.models import User
from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint


@dataclass(frozen=True)
class SectionLine:
    """A line of a section: a name, its value, which may be a link, and whether it is bad."""

    name: StrOrPromise
    value: StrOrPromise | SafeString
    is_bad: bool = False


@dataclass(frozen=True)
class CaseSection:
    """A heading, lines below it, and links as (URL, label) pairs to the pages where staff act on them."""

    title: StrOrPromise
    lines: list[SectionLine]
    links: tuple[tuple[str, StrOrPromise], ...] = ()


Filler = Callable[[Connection, User], Iterable[CaseSection]]
CASE_SECTIONS = ExtensionPoint[Filler](
    "case sections",
    "What a connection's page shows of a feature, to whom may see it, in a constant number of queries.",
)


def sections_of(connection: Connection, reader: User) -> list[CaseSection]:
    """Return all sections that `reader` may see, in order."""
    return [section for fill in CASE_SECTIONS for section in fill(connection, reader)]
