"""The panels of the first page. Features register their own, including apps above this one (billing)."""

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
    """One box on the first page: its title, its template and the function that makes the template's context."""

    title: Title
    template: str
    context: MakeContext
    permission: str
    wide: bool


PANELS = ExtensionPoint[Panel]("panels", "Boxes on the first page of staff.")


def register_panel(
    title: Title, template: str, context: MakeContext, *, permission: str, rank: int, wide: bool = False
) -> None:
    """Register a panel for staff with `permission` ("app.codename"); panels of a lower `rank` come first.

    `context()` must make a constant number of queries that stay fast at a million rows, over indexed ranges and with
    counts through `integrations.backoffice.dashboard.numbers.capped`.
    """
    PANELS.register(template, Panel(title, template, context, permission, wide), rank=rank)


def panels_for(user: User) -> list[Panel]:
    """Return the panels that this member of staff may see, by rank; wide panels come last."""
    shown = [panel for panel in PANELS if user.has_perm(panel.permission)]
    return sorted(shown, key=lambda panel: panel.wide)
