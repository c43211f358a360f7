"""The first page's panels. A feature registers its own, also from above (billing)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from accounts.models import User
from partner_portal.core.extension_points import ExtensionPoint

Title = str | Promise
MakeContext = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Panel:
    """One box: a heading, a template for what stands below it, and what makes the template's context."""

    title: Title
    template: str
    context: MakeContext
    permission: str
    wide: bool


PANELS = ExtensionPoint[Panel]("panels", "Boxes on the first page of staff.")


def register_panel(
    title: Title, template: str, context: MakeContext, *, permission: str, rank: int, wide: bool = False
) -> None:
    """Show a panel to staff with `permission` ("app.codename"), those of a lower `rank` first.

    `context()` makes a constant number of queries that stay fast at a million rows: indexed ranges, and
    counts through `integrations.backoffice.dashboard.numbers.capped`.
    """
    PANELS.register(template, Panel(title, template, context, permission, wide), rank=rank)


def panels_for(user: User) -> list[Panel]:
    """Return what this member of staff may see, in their order; wide panels come last."""
    shown = [panel for panel in PANELS if user.has_perm(panel.permission)]
    return sorted(shown, key=lambda panel: panel.wide)
