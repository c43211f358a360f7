"""The events of a connection that the first page counts; each is defined by a set of state changes."""

from dataclasses import dataclass

from django.db import models
from django.db.models import Q

from integrations.connections.models import LIVE, State
from partner_portal.core.english import english as _

NEW = ""  # stands for the state before the first one


class ConnectionEvent(models.TextChoices):
    """One thing that happened to a connection."""

    ASKED = "asked", _("asked for")  # an owner arrived for this location
    ACTIVATED = "activated", _("activated")  # Altegio accepted
    FAILED = "failed", _("failed")  # Altegio refused, or staff dismissed the claim
    EXPIRED = "expired", _("expired")  # the window closed first
    CONFLICT = "conflict", _("in conflict")  # two people claim the location
    FROZEN = "frozen", _("frozen")  # no payment
    REACTIVATED = "thawed", _("active again")  # paid after a freeze
    UNINSTALLED = "uninstalled", _("uninstalled")


@dataclass(frozen=True)
class ChangePattern:
    """A set of state changes, by the states before and after."""

    before: frozenset[str]
    after: frozenset[str]

    @property
    def q(self) -> Q:
        """The condition for the ConnectionChange rows that match."""
        return Q(to_state__in=sorted(self.after), from_state__in=sorted(self.before))


_NOT_LIVE = frozenset({NEW, *State.values}) - frozenset(LIVE)
_ANY = frozenset({NEW, *State.values})

CHANGES: dict[ConnectionEvent, ChangePattern] = {
    ConnectionEvent.ASKED: ChangePattern(frozenset({NEW}), frozenset(State.values)),
    ConnectionEvent.ACTIVATED: ChangePattern(_NOT_LIVE - {State.UNINSTALLED}, frozenset({State.ACTIVE})),
    ConnectionEvent.FAILED: ChangePattern(_ANY, frozenset({State.FAILED})),
    ConnectionEvent.EXPIRED: ChangePattern(_ANY, frozenset({State.EXPIRED})),
    ConnectionEvent.CONFLICT: ChangePattern(_ANY, frozenset({State.CONFLICT})),
    ConnectionEvent.FROZEN: ChangePattern(_ANY, frozenset({State.FROZEN})),
    ConnectionEvent.REACTIVATED: ChangePattern(
        frozenset({State.FROZEN, State.UNINSTALLED}), frozenset({State.ACTIVE})
    ),
    ConnectionEvent.UNINSTALLED: ChangePattern(_ANY, frozenset({State.UNINSTALLED})),
}


def events_of_change(before: str, after: str) -> list[ConnectionEvent]:
    """Return the events that a change from `before` to `after` means."""
    return [happened for happened, change in CHANGES.items() if before in change.before and after in change.after]
