"""The base of a story: its owner, their arrivals, notes of what was promised, and requests that are repeated."""

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import requests

from chaos.plan import StoryPlan
from chaos.staff import Staff
from chaos.stage import Stage, pause
from sandbox.models import Status, User

# Seconds for which a request is repeated that gets no answer, or one that says "later".
PATIENCE = 300.0
AGAIN_AFTER = 0.3
LATER = (429, 500, 502, 503, 504)
FORM = re.compile(r'action="([^"]+/sign-up/)"')


class GaveUpError(Exception):
    """Raised when something did not happen in time; `str()` says what."""


@dataclass
class Paid:
    """A payment that the portal accepted."""

    external_id: str
    salon_id: int
    amount: Decimal
    id: int
    may_fail: bool = False  # its location was disconnected meanwhile
    refund_asked: bool = False


@dataclass
class Notes:
    """The notes of what the portal has accepted, and of what Altegio's owners did."""

    grants: Counter[int] = field(default_factory=Counter)
    strangers: set[int] = field(default_factory=set)
    # The address of each location's owner in between, and the claims that staff have dismissed.
    heirs: dict[int, str] = field(default_factory=dict)
    dismissed: set[int] = field(default_factory=set)
    # When the owner's arrival was answered, by the clock of Altegio's journal.
    arrived: dict[int, float] = field(default_factory=dict)
    payments: list[Paid] = field(default_factory=list)
    names: dict[int, list[str]] = field(default_factory=dict)
    statuses: list[tuple[str, int]] = field(default_factory=list)
    notified: dict[str, datetime] = field(default_factory=dict)
    phone_calls: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class StoryBase(Thread):
    """A plan that is played in a thread of its own; the subclasses have the acts."""

    def __init__(self, plan: StoryPlan, stage: Stage) -> None:
        super().__init__(daemon=True)
        self.plan, self.stage, self.notes = plan, stage, Notes()
        self.altegio = stage.altegio
        self.chain, self.locations = stage.altegio.add_chain(plan.locations)
        self.user_id = self._make_user(plan.number, "owner")
        self.steps, self.done = 1 + len(plan.acts), 0
        self.email = f"owner-{plan.number}@people.example"
        self.staff = Staff(stage.portal)

    def run(self) -> None:
        pause(self.plan.starts_at)
        try:
            self._connect(self.locations, late=self.plan.arrival == "late")
            self.done += 1
            for act in self.plan.acts:
                pause(act.pause)
                getattr(self, f"_{act.name}")(act, self.locations[act.place])
                self.done += 1
        except Exception as error:  # the seed's report must show why the thread ended
            self.notes.problems.append(f"story {self.plan.number}: {type(error).__name__}: {error}")
        self.done = self.steps

    # --- arriving ---------------------------------------------------------------------------------
    def _connect(self, locations: list[int], *, late: bool = False) -> None:
        signed = self.plan.arrival != "sign-up"
        user_id = self.user_id if signed else None
        at = datetime.now(UTC) - timedelta(hours=2) if late else None
        first = self.plan.arrival == "beset" and not self.notes.grants
        if first and self.plan.rivals_first:
            self._beset(locations)
        self.altegio.grant(locations, self.plan.application, user_id, at)
        url = self.altegio.arrival_url(locations, self.plan.application, user_id)
        if signed:
            self._insist("the arrival", lambda: self.stage.portal.page(url), (303,))
        else:
            page = self._sign_up(url)
        if late:
            return
        self.notes.arrived |= dict.fromkeys(locations, time.monotonic())
        self.notes.grants.update(locations)
        if first and not self.plan.rivals_first:
            self._beset(locations)
        # A repeated sign-up is nobody's until an e-mail is opened, so there is nothing to decide.
        if signed and set(locations) & (self.notes.strangers | self.notes.heirs.keys()):
            self._staff_decide(locations, self.email, late=first and self.plan.decided_late)
        for salon_id in locations:
            self._wait_for(salon_id, Status.ACTIVE, Status.FREEZED)
        if not signed:
            self._read_to_the_end(page)

    def _sign_up(self, url: str) -> str:
        """Sign up and return the address of the status page."""
        form = self._insist("the form", lambda: self.stage.portal.page(url), (200,))
        found = FORM.search(form.text)
        if found is None:
            raise GaveUpError("the page has no form to sign up")
        person = {"name": "An Owner", "email": self.email, "phone": "", "password": "a-long-password-4711"}
        address = found.group(1)
        post = lambda: self.stage.portal.page(address, method="POST", data=person)  # noqa: E731
        return self._insist("signing up", post, (303,)).headers["Location"]

    def _read_to_the_end(self, page: str) -> None:
        """Wait until the status page says how it ended. Raises GaveUpError if it does not in time.

        Nothing proves that two sign-ups are one person's: the second one, while the first is undecided, is a conflict
        for staff (docs/interface.md, Claims).
        """
        accept = {"Accept": "application/json"}
        ends_at = time.monotonic() + PATIENCE
        while time.monotonic() < ends_at:
            told = self._insist("the status page", lambda: self.stage.portal.page(page, headers=accept), (200,))
            if told.json()["state"] != "pending":
                return
            pause(AGAIN_AFTER)
        raise GaveUpError("the status page is still pending")

    def _beset(self, salon_ids: list[int]) -> None:
        """Name the locations too, as rivals of the owner do."""
        raise NotImplementedError

    def _staff_decide(self, salon_ids: list[int], email: str, *, late: bool = False) -> None:
        """Decide as staff, until this person has the locations."""
        raise NotImplementedError

    def _make_user(self, number: int, who: str) -> int:
        user_id = 20_000 + number
        user = User(user_id, f"{who} {number}", f"4477{number:08d}", f"{who}-{number}@people.example")
        self.altegio.add_user(user)
        return user_id

    def _payments_may_fail(self, salon_id: int) -> None:
        for payment in self.notes.payments:
            if payment.salon_id == salon_id:
                payment.may_fail = True

    # --- insisting --------------------------------------------------------------------------------
    def _call(
        self, method: str, path: str, body: Any, wanted: tuple[int, ...], *, later: tuple[int, ...] = ()
    ) -> requests.Response:
        return self._insist(f"{method} {path}", lambda: self.stage.api(method, path, body), wanted, later)

    def _insist(self, what: str, do: Any, wanted: tuple[int, ...], later: tuple[int, ...] = ()) -> requests.Response:
        """Repeat a request until its status is one of the `wanted`, and return the answer.

        Raises GaveUpError if that takes too long, or if an answer is neither wanted nor one of those that say
        "later".
        """
        ends_at, said = time.monotonic() + PATIENCE, "no answer"
        while time.monotonic() < ends_at:
            try:
                answer: requests.Response = do()
            except requests.RequestException as error:
                said = type(error).__name__
            else:
                if answer.status_code in wanted:
                    return answer
                said = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code not in (*LATER, *later):
                    break
            pause(AGAIN_AFTER)
        raise GaveUpError(f"{what}: {said}")

    def _wait_for(self, salon_id: int, *statuses: Status) -> None:
        ends_at = time.monotonic() + PATIENCE
        while (status := self.altegio.status_of(salon_id, self.plan.application)) not in statuses:
            if time.monotonic() > ends_at:
                raise GaveUpError(f"location {salon_id} is {status} at Altegio, and not {' or '.join(statuses)}")
            pause(0.05)
