"""The facts of a decision at one location, read from the connections there."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from integrations.connect.claimants import Claimant
from integrations.connect.decisions import ClaimFacts, Holder, Standing
from integrations.connections.models import LIVE, UNDECIDED, Connection, State


@dataclass(frozen=True)
class ClaimedLocation:
    """The connections at one location that matter to a claimant.

    They are the undecided, the live, the recently ended, and those on which this claimant was refused recently.
    `persistent` holds the claims that were refused there repeatedly.
    """

    connections: list[Connection]
    claimant: Claimant
    now: datetime
    persistent: frozenset[str] = frozenset()

    @property
    def mine(self) -> Connection | None:
        return next((each for each in self._undecided if each.claim == self.claimant.claim), None)

    @property
    def live(self) -> Connection | None:
        return next((each for each in self.connections if each.state in LIVE), None)

    @property
    def others(self) -> list[Connection]:
        """The undecided claims of other people."""
        return [each for each in self._undecided if each.claim != self.claimant.claim]

    @property
    def rivals(self) -> list[Connection]:
        standings = [(each, self._standing(each)) for each in self.others]
        return [each for each, it in standings if it.is_rival and it.is_persistent == self._is_persistent]

    @property
    def unproven(self) -> list[Connection]:
        """The unproven claims of other people."""
        return [each for each in self.others if not each.is_proven]

    @property
    def overtaken(self) -> list[Connection]:
        """The unproven and persistent claims of other people, which a new claim of a proven person overtakes."""
        return [each for each in self.others if not each.is_proven or each.claim in self.persistent]

    @property
    def _is_persistent(self) -> bool:
        return self.claimant.claim in self.persistent

    @property
    def _undecided(self) -> list[Connection]:
        return [each for each in self.connections if each.state in UNDECIDED]

    def facts(self, *, in_time: bool, has_room: bool) -> ClaimFacts:
        """Return the facts for `decide`. `has_room` says that this claimant may have one more undecided claim."""
        return ClaimFacts(
            is_proven=self.claimant.is_proven,
            in_time=in_time,
            has_room=has_room and len(self.unproven) < settings.UNPROVEN_CLAIMS_PER_LOCATION,
            holder_is_back=self._holder_is_back(),
            was_refused=any(each.state == State.FAILED for each in self.connections),
            holder=self._holder(),
            mine=self._standing(self.mine) if self.mine else None,
            others=tuple(self._standing(each) for each in self.others),
            is_persistent=self._is_persistent,
            staff_release=self.mine is not None and self.mine.application.hold_activations,
        )

    def _standing(self, connection: Connection) -> Standing:
        return Standing(
            state=State(connection.state),
            is_proven=connection.is_proven,
            is_disputed=connection.is_disputed,
            is_open=self.now < connection.deadline_at,
            is_persistent=connection.claim in self.persistent,
        )

    def _holder_is_back(self) -> bool:
        """Return whether another person came back to what they held, and the portal has recorded its end since."""
        ended = [each for each in self.connections if each.state == State.UNINSTALLED]
        return any(each.last_arrived_at != each.arrived_at and each.claim != self.claimant.claim for each in ended)

    def _holder(self) -> Holder:
        live = self.live
        if live is None:
            return Holder.NOBODY
        if live.owner_id is None:
            waits_for_them = live.claim == self.claimant.claim and not live.is_disputed
            return Holder.CLAIMANT if waits_for_them else Holder.ANOTHER
        is_theirs = self.claimant.user is not None and live.owner_id == self.claimant.user.pk
        return Holder.CLAIMANT if is_theirs else Holder.ANOTHER
