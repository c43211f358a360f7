"""What a member of staff may do next for a connection, and who knows: features add their own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.db.models import Model
from django_stubs_ext import StrOrPromise

from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint


@dataclass(frozen=True)
class NextStep:
    """One sentence, and what it offers: an action of the connection's admin page, or of `row`'s, or a link.

    `is_trouble`: something is wrong; without it the sentence only explains, and says `in_trouble` where something
    else is wrong. `alert`: the key of the alert that it repeats; `says_alerts`: how the keys of those begin that it
    says in better words.
    """

    text: StrOrPromise
    action: str = ""
    url: str = ""
    label: StrOrPromise = ""
    is_trouble: bool = False
    row: Model | None = None
    in_trouble: StrOrPromise = ""
    alert: str = ""
    says_alerts: tuple[str, ...] = ()


Adviser = Callable[[Connection], Iterable[NextStep]]
NEXT_STEPS = ExtensionPoint[Adviser](
    "next steps", "What staff may do next about a connection, in a constant number of queries."
)


def next_steps(connection: Connection) -> list[NextStep]:
    """Return the steps, what is wrong first, each thing once."""
    steps = [step for adviser in NEXT_STEPS for step in adviser(connection)]
    said = tuple(key for step in steps for key in step.says_alerts)
    steps = [step for step in steps if not (step.alert and step.alert.startswith(said))]
    if any(step.is_trouble for step in steps):
        steps = [replace(step, text=step.in_trouble or step.text) for step in steps]
    return sorted(steps, key=lambda step: not step.is_trouble)
