"""What a member of staff may do next for a connection, and who knows: features add their own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django_stubs_ext import StrOrPromise

from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint


@dataclass(frozen=True)
class NextStep:
    """One sentence, and what it offers: an action of the connection's admin page, or a link.

    `is_trouble`: something is wrong; without it the sentence only explains.
    """

    text: StrOrPromise
    action: str = ""
    url: str = ""
    label: StrOrPromise = ""
    is_trouble: bool = False


Adviser = Callable[[Connection], Iterable[NextStep]]
NEXT_STEPS = ExtensionPoint[Adviser](
    "next steps", "What staff may do next about a connection, in a constant number of queries."
)


def next_steps(connection: Connection) -> list[NextStep]:
    """What is wrong first."""
    steps = [step for adviser in NEXT_STEPS for step in adviser(connection)]
    return sorted(steps, key=lambda step: not step.is_trouble)
