"""What a member of staff may do next for a connection, and the registry of who knows: features add their own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django_stubs_ext import StrOrPromise

from integrations.connections.models import Connection


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
_advisers: list[Adviser] = []


def register_adviser(adviser: Adviser) -> Adviser:
    """Decorator: let `adviser` say what to do about a connection. Each costs a constant number of queries."""
    _advisers.append(adviser)
    return adviser


def next_steps(connection: Connection) -> list[NextStep]:
    """What is wrong first, in the order of registration."""
    steps = [step for adviser in _advisers for step in adviser(connection)]
    return sorted(steps, key=lambda step: not step.is_trouble)
