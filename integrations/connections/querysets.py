"""Selections of connections: each rule is written once, under its name."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Case, IntegerField, OuterRef, Q, Value, When

from integrations.connections.states import LIVE, NOT_ENDED, UNDECIDED, EndedBy, State
from partner_portal.core.updated_at import UpdatedAtQuerySet

if TYPE_CHECKING:
    from integrations.connections.models import Application, Connection, Location

# A claim that Altegio refused, or that somebody else's blocked, never held the location.
WITHOUT_A_GRANT = (State.FAILED, State.CONFLICT)


def shown_to_owner(path: str = "") -> Q:
    """Return the condition that the owner may see the data: staff need not look first.

    `path` leads from the queried model to the connection.
    """
    return Q(**{f"{path}review": ""})


def name_checked(path: str = "") -> Q:
    """Return the condition that the signed name fits the title, or that staff have looked, and all is well."""
    return shown_to_owner(path) & Q(**{f"{path}reviewed_at__isnull": False})


class ConnectionQuerySet(UpdatedAtQuerySet["Connection"]):
    """A queryset of connections, selected by state and place."""

    def live(self) -> Self:
        """Return those that Altegio holds to be connected: active or frozen."""
        return self.filter(state__in=LIVE)

    def undecided(self) -> Self:
        """Return the claims that still wait for an activation."""
        return self.filter(state__in=UNDECIDED)

    def shown_to_owner(self) -> Self:
        """Return those whose data their owner may see."""
        return self.filter(shown_to_owner())

    def not_ended(self) -> Self:
        """Return those that are live or undecided."""
        return self.filter(state__in=NOT_ENDED)

    def refused(self, since: datetime) -> Self:
        """Return those that failed since then, except those that the portal ended itself, as claims of one person."""
        return self.filter(state=State.FAILED, ended_at__gte=since).exclude(ended_by=EndedBy.PORTAL)

    def at(self, application: "Application | int | OuterRef", location: "Location | int | OuterRef") -> Self:
        """Return those of one application at one location, by row, key or a reference to the outer query."""
        return self.filter(application=application, location=location)

    def at_altegio(self, application_id: int | None, salon_id: int | None) -> Self:
        """Return those of one application at one location, by their ids at Altegio."""
        return self.filter(application__altegio_id=application_id, location__altegio_id=salon_id)

    def same_place(self, connection: "Connection") -> Self:
        """Return those of the connection's application at its location, itself included."""
        return self.at(connection.application_id, connection.location_id)

    def beside(self, connection: "Connection") -> Self:
        """Return the others of the connection's application at its location."""
        return self.same_place(connection).exclude(pk=connection.pk)

    def current_first(self) -> Self:
        """Put first the connection that counts at a place: the live one, then the newest grant, then the newest
        claim.

        A refused or disputed claim comes last, however new: it must not hide what had been granted before.
        """
        standing = Case(
            When(state__in=LIVE, then=Value(0)),
            When(~Q(state__in=WITHOUT_A_GRANT), then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        )
        return self.order_by(standing, "-pk")

    def current(self) -> "Connection | None":
        """Return the connection that counts among these, which must be of one application at one location."""
        return self.current_first().first()

    def successors(self, ended: "Connection") -> Self:
        """Return what has taken the place of an ended connection at Altegio: a live one, or a later grant.

        This is not the ranking of `current_first`: an older grant succeeds nobody, whatever became of `ended`.
        """
        later_grant = Q(pk__gt=ended.pk) & ~Q(state__in=WITHOUT_A_GRANT)
        return self.beside(ended).filter(Q(state__in=LIVE) | later_grant)
