"""The states of a connection, and the groups of states that rules refer to."""

from django.db import models

from partner_portal.core.english import english as _


class State(models.TextChoices):
    """The states of a connection; `integrations.connections.transitions.MAY_FOLLOW` says which may follow which."""

    GRANTED = "granted", _("waiting for activation")  # the owner arrived; Altegio has not accepted yet
    ACTIVE = "active", _("active")  # Altegio accepted the activation
    FROZEN = "frozen", _("frozen")  # no payment: Altegio stopped API and webhooks
    UNINSTALLED = "uninstalled", _("uninstalled")  # the owner, or the partner, disconnected it
    EXPIRED = "expired", _("expired")  # the window closed before Altegio accepted
    FAILED = "failed", _("failed")  # Altegio refused
    CONFLICT = "conflict", _("conflict")  # another person claims the location (`is_disputed`), or holds it


class EndedBy(models.TextChoices):
    """Who ended a claim. If staff ended it, nobody else may reopen it."""

    ALTEGIO = "altegio", _("Altegio")
    WINDOW = "window", _("the end of its window")
    STAFF = "staff", _("staff")
    PORTAL = "portal", _("the portal")


# The states as owners and the partner's own systems see them (docs/interface.md): one that waits is pending.
SHOWN_STATES: dict[str, str] = {state: "pending" if state is State.GRANTED else state.value for state in State}
UNDECIDED = (State.GRANTED, State.CONFLICT)
LIVE = (State.ACTIVE, State.FROZEN)
NOT_ENDED = (*UNDECIDED, *LIVE)
