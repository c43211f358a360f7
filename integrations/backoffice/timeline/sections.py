"""The sections of a connection's page, and who fills them: features add their own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django_stubs_ext import StrOrPromise

from accounts.models import User
from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint


@dataclass(frozen=True)
class SectionLine:
    """What is known: a name, its value, and a link where there is more of it."""

    name: StrOrPromise
    value: StrOrPromise | SafeString
    is_bad: bool = False


@dataclass(frozen=True)
class CaseSection:
    """A heading, lines below it, and links of (address, label) to what staff do there."""

    title: StrOrPromise
    lines: list[SectionLine]
    links: tuple[tuple[str, StrOrPromise], ...] = ()


Filler = Callable[[Connection, User], Iterable[CaseSection]]
CASE_SECTIONS = ExtensionPoint[Filler](
    "case sections",
    "What a connection's page shows of a feature, to whom may see it, in a constant number of queries.",
)


def sections_of(connection: Connection, reader: User) -> list[CaseSection]:
    """All that `reader` may see, in order."""
    return [section for fill in CASE_SECTIONS for section in fill(connection, reader)]
