"""Connection: one application at one location, from an arrival's grant to its end."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from integrations.connections.models.application import Application
from integrations.connections.models.installation import Installation
from integrations.connections.models.location import Location, reconnect_url
from integrations.connections.querysets import ConnectionQuerySet
from integrations.connections.states import LIVE, UNDECIDED, EndedBy, State
from partner_portal.core.bidi import embedded
from partner_portal.core.english import english as _
from partner_portal.core.external_ids import MAX_EXTERNAL_ID
from partner_portal.core.updated_at import UpdatedAt

if TYPE_CHECKING:
    from accounts.models import User


class Connection(UpdatedAt):
    """One grant of one application at one location.

    `claim` says whose arrival it is; `owner` is set only once Altegio has accepted (docs/altegio.md §1). A
    reconnection after an end is a new row, so the history stays.
    """

    UNSEEN = frozenset(
        {"claim", "claimant", "has_own_external_id", "last_arrived_at", "listed_at", "reviewed_at"}
        | {"status_asked_at", "warned"}
    )

    # Not a foreign key to the installation: lists, searches and the constraints below need these two columns.
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="connections")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="connections")
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.GRANTED)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    altegio_words = models.CharField(_("Altegio's words"), max_length=500, blank=True)
    claim = models.CharField(max_length=40, editable=False)
    claimant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="claims"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="connections"
    )
    # Whether the claimant has proven who they are; if not, hashes of the address they gave and of their network.
    is_proven = models.BooleanField(_("claimant proven"), default=True, db_default=True, editable=False)
    visitor = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    network = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    # Two proven people claim it: staff decide, even if Altegio has accepted one of them.
    is_disputed = models.BooleanField(_("disputed"), default=False, db_default=False, editable=False)
    ended_by = models.CharField(
        _("ended by"), max_length=8, choices=EndedBy.choices, blank=True, default="", db_default="", editable=False
    )
    arrived_at = models.DateTimeField(_("arrived"))
    last_arrived_at = models.DateTimeField(_("last arrived"))
    deadline_at = models.DateTimeField(_("deadline"))
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # When Altegio froze it; empty in every other state.
    frozen_at = models.DateTimeField(_("frozen"), null=True, blank=True, editable=False)
    # The partner's own id: its customer's, once the connection is bound; or one that was written for this connection
    # alone, which the customer's does not replace.
    external_id = models.CharField(_("partner's id"), max_length=MAX_EXTERNAL_ID, blank=True, db_default="")
    has_own_external_id = models.BooleanField(default=False, db_default=False, editable=False)
    # The subscription; billing keeps these three together, for lists and searches.
    trial_ends_at = models.DateTimeField(_("trial ends"), null=True, blank=True, editable=False)
    paid_until = models.DateTimeField(_("paid until"), null=True, blank=True, editable=False)
    next_payment_at = models.DateTimeField(_("next payment expected"), null=True, blank=True, editable=False)
    # How many alerts about the window have been raised: none, at half, at five sixths.
    warned = models.PositiveSmallIntegerField(default=0, editable=False)
    review = models.CharField(
        _("to be reviewed"),
        max_length=300,
        blank=True,
        help_text=_("Why staff must look before the owner sees the location's data; empty when all is well."),
    )
    reviewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When Altegio's list of connected locations last held it (reconciliation).
    listed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When Altegio was last asked about its status; at first, when it was created.
    status_asked_at = models.DateTimeField(
        _("Altegio last asked"), default=timezone.now, db_default=Now(), editable=False
    )

    claimant_id: int | None
    owner_id: int | None

    objects: ClassVar = ConnectionQuerySet.as_manager()

    class Meta(UpdatedAt.Meta):
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        permissions = (("see_as_owner", "Can see the pages of a connection's owner, read only"),)
        constraints = [
            models.UniqueConstraint(
                fields=["application", "location"],
                condition=models.Q(state__in=LIVE),
                name="one_live_connection_at_a_location",
            ),
            models.UniqueConstraint(
                fields=["application", "location", "claim"],
                condition=models.Q(state__in=UNDECIDED),
                name="one_undecided_claim_of_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="connection_by_state"),
            models.Index(fields=["updated_at"], name="connection_by_change"),
            models.Index(
                fields=["external_id", "-id"],
                condition=~models.Q(external_id=""),
                name="connection_by_external_id",
            ),
            models.Index(
                fields=["next_payment_at"], condition=models.Q(state__in=LIVE), name="connection_payment_due"
            ),
            # The connection that was asked about longest ago is asked about next.
            models.Index(
                fields=["status_asked_at"], condition=models.Q(state__in=LIVE), name="connection_asked_longest_ago"
            ),
            models.Index(
                fields=["deadline_at"], condition=models.Q(state=State.GRANTED), name="connection_running_out"
            ),
            models.Index(
                fields=["activated_at"],
                condition=models.Q(activated_at__isnull=False),
                name="connection_activated",
            ),
            models.Index(fields=["-id"], condition=~models.Q(review=""), name="connection_to_review"),
            # To count how many undecided claims a person has.
            models.Index(fields=["claim"], condition=models.Q(state__in=UNDECIDED), name="connection_by_claim"),
            # To count how many undecided claims an unproven visitor has.
            models.Index(
                fields=["visitor"],
                condition=models.Q(state__in=UNDECIDED, is_proven=False),
                name="connection_by_visitor",
            ),
            models.Index(
                fields=["network"],
                condition=models.Q(state__in=UNDECIDED, is_proven=False),
                name="connection_by_network",
            ),
            models.Index(
                fields=["location", "ended_at"],
                condition=models.Q(state=State.FAILED),
                name="connection_refused_here",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.location}"

    @property
    def ordering_key(self) -> str:
        """The outbox's ordering key: the calls of one connection go in order.

        A claim that holds nothing has a key of its own, so it never goes before the calls of the location's holder.
        """
        return f"connection:{self.pk}"

    @property
    def connected_since(self) -> datetime | None:
        """The time since which it is connected; None if it never was.

        A connection from before the portal may have been activated first in an earlier life, before this consent.
        """
        return max(self.activated_at, self.arrived_at) if self.activated_at else None

    @property
    def reconnect_url(self) -> str:
        return reconnect_url(self.location.altegio_id, self.application.altegio_id)

    @property
    def is_shown_to_owner(self) -> bool:
        """Whether its owner may see the location's data: staff need not look first."""
        return not self.review

    @property
    def is_name_checked(self) -> bool:
        """Whether the signed name has been compared with the title, or staff have looked, and all is well."""
        return self.is_shown_to_owner and self.reviewed_at is not None

    @property
    def title(self) -> str:
        """The location's title, as its owner may see it: only once the signed name has been checked."""
        return embedded(self.location.title) if self.is_name_checked else ""

    @property
    def installation(self) -> Installation:
        """The installation of this application at this location, whichever connection is the current one."""
        return Installation.at(self.application, self.location)


class ConnectionChange(models.Model):
    """One change of a connection's state: when, why and by whom."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="changes", verbose_name=_("connection")
    )
    at = models.DateTimeField(_("when"), default=timezone.now)
    from_state = models.CharField(_("from"), max_length=12, choices=State.choices, blank=True)
    to_state = models.CharField(_("to"), max_length=12, choices=State.choices)
    why = models.CharField(_("why"), max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("state change")
        verbose_name_plural = _("state changes")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["-at", "to_state"], name="change_newest"),
            models.Index(fields=["to_state", "-at"], name="change_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.get_from_state_display() or '·'} → {self.get_to_state_display()}"


def event_address(events_key: str) -> str:
    """Return the address to which Altegio sends a location's entity webhooks (docs/interface.md)."""
    return f"{settings.PORTAL_URL}/altegio/events/{events_key}/"


def owner_email(owner: "User | None") -> str | None:
    """Return the address that the API shows for a connection's owner; None if nobody is bound."""
    return (owner.email or None) if owner else None
