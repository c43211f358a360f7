"""The next steps that staff may take for a connection, and the extension point at which features add theirs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.db.models import Model
from django_stubs_ext import StrOrPromise

from integrations.connections.models import Connection
from partner_portal.core.extension_points import ExtensionPoint


@dataclass(frozen=True)
class NextStep:
    """A sentence, and what it offers: an action of the connection's admin page, or of `row`'s, or a link.

    `is_trouble` means that something is wrong. A step without it only explains, and its text becomes `in_trouble` if
    another step is trouble. `alert` is the key of the alert that the step repeats. `says_alerts` are the prefixes of
    the keys of alerts that the step explains better, so that their own steps are left out.
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
    """Return the steps without duplicates, those about trouble first."""
    steps = [step for adviser in NEXT_STEPS for step in adviser(connection)]
    said = tuple(key for step in steps for key in step.says_alerts)
    steps = [step for step in steps if not (step.alert and step.alert.startswith(said))]
    if any(step.is_trouble for step in steps):
        steps = [replace(step, text=step.in_trouble or step.text) for step in steps]
    return sorted(steps, key=lambda step: not step.is_trouble)
